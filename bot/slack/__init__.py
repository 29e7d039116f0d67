"""How Slack talks: the only rooms that know Slack's JSON. What they hear leaves them as plain words and times."""
