"""The five real runs the control loop is checked against: third parties' published logs of real Auto Scaling groups."""

from __future__ import annotations

from groundschool.controlloop.alarm import AlarmState

from .recorded_run import AlarmChange, Change, Kind, RealRun, Value, at, burn, minutes_around, shared
from .virtual_group import Setup

PHASES = tuple(float(second) for second in range(0, 300, 10))
"""Basic monitoring publishes every five minutes, at a moment no log tells."""


def seconds(value: float) -> str:
    return f"{value:.0f} s"


def percent(value: float) -> str:
    return f"{value:.0f} %"


V1 = RealRun(
    name="V1",
    gist="limits, target, warm-up, CPU of the burn, launch time",
    given="t3.micro behind an ALB, 2 to 4 instances, target 30, warm-up 60 s; one of two instances at 100 % CPU from "
    "about 11:27 to about 11:45; launch to InService 65 s; the seconds at which the two alarms act (:42, :20)",
    values=(
        Value("phase of basic monitoring", 120, PHASES, Kind.FITTED, ("time of 2 to 4",), seconds),
        Value("burn begins", at("11:27"), minutes_around("11:27", 4, 4), Kind.ROUGH),
        Value("burn ends", at("11:45"), minutes_around("11:45", 4, 4), Kind.ROUGH),
    ),
    setup=lambda phase, first, last: Setup(
        target=30,
        minimum=2,
        maximum=4,
        desired=2,
        load=burn((first, last)),
        warm_up=60,
        launch_takes=65,
        published_every=300,
        published_at=int(phase),
        high_evaluated_at=42,
        low_evaluated_at=20,
    ),
    begin="11:20",
    end="12:10",
    changes=(Change("11:34:42", 2, 4), Change("12:01:20", 4, 3), Change("12:01:40", 3, 2)),
    assumed=("basic monitoring",),
    remarks=(
        "With detailed monitoring the group would have grown at 11:30: that it was basic follows from the time of "
        "2 to 4, which is not counted as predicted.",
        "2 to 4 is ceil(2 x 50 / 30), and also the maximum: it shows rounding up, but could not show going too far. At "
        "phases whose first datapoint covers only part of the burn the group goes there by way of 3.",
        "One fitted phase gives the scale-out and, twenty-seven minutes later, the scale-in.",
        "The log's two scale-ins are 20 s apart, ours one evaluation: AWS puts AlarmLow anew after the first, and the "
        "new alarm has a second of its own.",
    ),
)
V2 = RealRun(
    name="V2",
    gist="limits, target, warm-up, monitoring, launch time",
    given="t3.micro, detailed monitoring, no ALB, 1 to 2 instances, target 85, warm-up 300 s; the launch activity ends "
    "at 13:58:27, so launch to InService takes 17 s; the seconds at which the two alarms act (:10, :09)",
    values=(
        Value("stress begins", at("13:49:30"), minutes_around("13:49:30", 5, 5), Kind.FITTED, ("time of 1 to 2",)),
        Value("stress ends", at("14:05"), minutes_around("14:05", 11, 11), Kind.ASSUMED),
    ),
    setup=lambda first, last: Setup(
        target=85,
        minimum=1,
        maximum=2,
        desired=1,
        load=burn((first, last)),
        launch_takes=17,
        high_evaluated_at=10,
        low_evaluated_at=9,
    ),
    begin="13:44",
    end="14:20",
    changes=(Change("13:53:10", 1, 2), Change("14:12:09", 2, 1)),
    assumed=("the stress is 100 % CPU",),
    alarms=(AlarmChange("13:59:10", "cpu AlarmHigh", AlarmState.OK),),
    remarks=(
        "AlarmHigh goes OK because the warm-up ends: from then on the metric is (100 + 0) / 2 = 50, whether or not the "
        "stress goes on. 50 is also below AlarmLow's threshold (0.70 x 85), so the scale-in follows from the same "
        "moment. When the stress ended is not in the log, and hardly matters.",
        "From the first low datapoint to the fifteenth are fourteen minutes by the rules, the log has thirteen: "
        "whatever the load, one of the two times is an evaluation off.",
    ),
)
V3 = RealRun(
    name="V3",
    gist="limits, warm-up, launch time",
    given="2 to 4 instances, default warm-up (300 s); instances are burnt by hand (`yes`), which the balancer does not "
    "share out; launch to InService 33 s (the launch activities end 333 s after they begin); the seconds at which the "
    "two alarms act (:37, :25)",
    values=(
        Value("target", 80, (50, 60, 65, 70, 75, 80, 85, 90, 95), Kind.FITTED, ("size of 2 to 3",), percent),
        Value("two burn from", at("08:34"), minutes_around("08:34", 3, 3), Kind.FITTED, ("time of 2 to 3",)),
        Value(
            "a third from",
            at("08:44"),
            minutes_around("08:44", 4, 4),
            Kind.FITTED,
            ("size of 3 to 4", "time of 3 to 4"),
        ),
        Value("burn ends", at("08:50"), minutes_around("08:50", 3, 3), Kind.FITTED, ("time of 4 to 3",)),
    ),
    setup=lambda target, first, third, last: Setup(
        target=target,
        minimum=2,
        maximum=4,
        desired=2,
        load=burn((first, last), (first, last), (third, last)),
        launch_takes=33,
        high_evaluated_at=37,
        low_evaluated_at=25,
    ),
    begin="08:28",
    end="09:15",
    changes=(
        Change("08:37:37", 2, 3),
        Change("08:46:37", 3, 4),
        Change("09:05:25", 4, 3),
        Change("09:06:24", 3, 2),
    ),
    assumed=("detailed monitoring", "a burning instance is at 100 % CPU", "two burn first"),
    remarks=(
        "With whole instances burning, only targets from 67 to 99 give 2 to 3 to 4. The maximum is 4.",
        "The first datapoint with the third instance is 08:43's. If it is within the target, the next ALARM needs "
        "three more and comes at 08:47:37; if not, the group grows at 08:44:37. The log has neither.",
        "Not an event, but tested by the exact sequence: AlarmHigh stays in ALARM through the first warm-up, because "
        "the two burning instances burn on, and adds nothing.",
        "The log shows that AlarmLow is put anew after the first scale-in: its id differs in the second.",
    ),
)
V5 = RealRun(
    name="V5",
    gist="size of the group, AlarmLow's periods",
    given="a group of 7; AlarmLow takes 15 datapoints of 60 s and is in ALARM since 18:56:06 (which gives its second)",
    values=(
        Value("load falls", at("18:41"), minutes_around("18:41", 5, 5), Kind.FITTED, ("time of AlarmLow ALARM",)),
        Value("what held it ends", at("18:57"), minutes_around("18:57", 10, 5), Kind.FITTED, ("time of 7 to 6",)),
    ),
    setup=lambda falls, released: Setup(
        target=50,
        minimum=1,
        maximum=10,
        desired=7,
        load=shared((falls - 60, 330.0), (falls, 280.0)),
        other_policy=lambda now, n, serving: 45.0 if now < released else 30.0,
        high_evaluated_at=6,
        low_evaluated_at=6,
    ),
    begin="18:30",
    end="19:12:30",
    changes=(Change("19:12:06", 7, 6),),
    assumed=("target 50", "a second policy holds the scale-in back"),
    alarms=(AlarmChange("18:56:06", "cpu AlarmLow", AlarmState.ALARM),),
    remarks=(
        "The group acts sixteen minutes after its alarm, to the second. No published rule explains the wait. What is "
        "left to check is the size, one of seven, and that an alarm acts again each minute while it stays in ALARM: "
        "one that acted only on its transition never would.",
        "The notification tells the threshold: 42.5, which is 0.85 of a target of 50 (the target itself it does not "
        "tell). The model's for seven instances is 1 - 1/7 = 0.857, which would be 42.86. The loads assumed here pass "
        "both.",
    ),
)
V6 = RealRun(
    name="V6",
    gist="limits, target",
    given='1 to 3 instances, target 30; 1 to 3 "about 5 min after the stress began" (here at 00:10:40)',
    values=(Value("phase of basic monitoring", 230, PHASES, Kind.FITTED, ("time of 1 to 3",), seconds),),
    setup=lambda phase: Setup(
        target=30,
        minimum=1,
        maximum=3,
        desired=1,
        load=burn((at("00:10:40"), at("00:25"))),
        published_every=300,
        published_at=int(phase),
    ),
    begin="00:00",
    end="00:25",
    changes=(Change("00:15:40", 1, 3),),
    assumed=("basic monitoring", "the stress is 100 % CPU"),
    remarks=(
        "ceil(100 / 30) is 4; the maximum makes it 3.",
        "The time says little: it was fitted, and the log's own is a rough one.",
    ),
)

REAL_RUNS = (V1, V2, V3, V5, V6)
