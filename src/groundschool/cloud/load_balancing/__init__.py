"""The living part of Elastic Load Balancing: registered targets, their health, and what the data plane shall do."""
