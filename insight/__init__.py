"""Figures: pure folds of the event log, and reading it. Changes nothing anywhere."""
