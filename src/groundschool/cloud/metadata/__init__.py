"""The instance metadata service (IMDSv2): how an instance learns who it is and gets its role's credentials."""
