"""docs/METRICS.md is what the figures' definitions say."""

from insight.definitions import as_markdown
from server.commands import metrics


def test_the_committed_page_of_metrics_is_current() -> None:
    text = as_markdown()
    assert metrics.METRICS_FILE.read_text("utf-8") == text, "stale: run ./hotline metrics"
    assert "÷" in text
