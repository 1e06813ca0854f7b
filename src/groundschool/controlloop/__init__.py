"""The control loop: metrics in, decisions with reasons out.

Pure functions over frozen values: no AWS client, no process, no clock. Times are lab seconds and are passed in; chance
is passed in; whoever calls performs the effects. The lab and the simulator call the same functions.

    alarm               M of N datapoints, missing data -> OK, ALARM or INSUFFICIENT_DATA
    target_tracking     keep a metric at a target value (with tracked_metric, its two alarms and warm_up)
    step_scaling        the further from the threshold, the larger the step
    simple_scaling      one adjustment, then wait for the cooldown
    several_policies    the largest wins; scale in only if all agree
    scheduled           the sizes when an action's time comes
    placement           the zone to launch in; rebalancing launches before it terminates
    termination         the instance a scale-in takes
    replace_unhealthy   the instances to replace, now or later
    decision, instance  the values these share; adjustment, warm_up: their arithmetic
"""
