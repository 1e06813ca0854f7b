"""The wire: HTTP/1.1, AWS JSON 1.0, credentials, input shapes."""
