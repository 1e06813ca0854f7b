"""The living CloudWatch subset: metrics that were measured, and alarms that are evaluated.

    publish         the facts of one lab minute -> metric data under AWS's names
    metric_store    what was put, by metric and minute; statistics and percentiles
    metric_query    one metric's statistic, or an expression over several
    metric_math     the expressions: a small safe language
    alarms          the book of alarms; evaluates them once per lab minute
    operations      the CloudWatch API (metric_operations, alarm_operations)

Periods are lab seconds; the timestamps of the API are real times, so at speed 10 the datapoints of a 60 s period are
6 s apart.
"""
