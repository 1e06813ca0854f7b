"""One module per noun of the API. Each operation takes a :class:`Request` and its checked input."""
