-- Units read texts through ``unit_texts`` alone, which hides a confidential caller in them.

REVOKE SELECT (title, content, demand, place, occurred) ON hotline.tickets FROM hotline_unit;
