"""What is true: events, the language, times, facts and the document model. No I/O, no clock, no Slack, no SQL."""
