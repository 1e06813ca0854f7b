"""What the workshop builds, as numbers and names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkshopSettings:
    """Each field: its default, its unit, and why this value."""

    name: str = "visitor-board"
    """The prefix of every resource's name: what carries it belongs to this build."""

    project: str = "ground-school"
    """Value of the tag ``Project``: only what carries it is ever removed."""

    expires_at: str | None = None
    """Value of the tag ``ExpiresAt`` (UTC, ISO 8601 to the second), a reminder for those who pay; None: no such tag."""

    default_region: str = "eu-north-1"
    """Used when neither ``AWS_REGION`` nor the AWS configuration names a region."""

    table_name: str = "workshop_messages"
    """The app's own default; the role is scoped to exactly this table."""

    expiry_attribute: str = "expires_at"
    """TTL attribute, Unix seconds: old messages go without a write being paid for."""

    app_distribution: str = "visitor-board"
    """The installed Python distribution that becomes the release, with everything it depends on."""

    app_module: str = "visitor_board"
    """Started as ``python -m visitor_board serve``."""

    app_port: int = 8080
    """Above 1023, so that the app never needs root."""

    health_path: str = "/health"
    """Shallow: answers while the process can serve, whatever its table does, because it decides who is replaced."""

    listener_port: int = 80
    """The single public port of session 2. HTTPS needs a certificate and so a domain of the learner's own."""

    instance_type: str = "t3.micro"
    """The smallest type on which the app runs well (1 GiB; 10 % of a vCPU sustained, bursts on credits)."""

    image_parameter: str = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    """AWS's public SSM parameter with the newest Amazon Linux 2023 image for x86_64."""

    @property
    def architecture(self) -> str:
        """The image's, as AWS's parameter names end: ``x86_64`` or ``arm64``. The instance type must have the same."""
        return self.image_parameter.rpartition("-")[2]

    volume_size: int = 8
    """GiB of the root disk: what the image asks for at least. Nothing that matters is kept on it."""

    availability_zones: int = 2
    """The least a load balancer accepts. Surviving the loss of one of two takes 200 % of the needed capacity."""

    minimum_size: int = 1
    """Instances. 1 keeps an idle workshop cheap; a real service would keep one per zone."""

    desired_capacity: int = 2
    """Instances at creation; from then on the scaling policy decides."""

    maximum_size: int = 10
    """Instances. The limit of the bill, not of the design."""

    target_cpu: float = 50.0
    """Per cent, average of the group. Lower pays for idle instances; higher leaves less room while new ones boot."""

    warm_up: int = 180
    """Seconds from InService until an instance counts in the group's average. Its start burns CPU that is not load;
    longer makes the policy deaf, shorter makes it count the boot as demand: at 60 s a boot of two minutes made a group
    that needed four instances ask for eight."""

    health_check_interval: int = 10
    """Seconds (5-300, default 30). Two missed checks take a dead target out after 20 s instead of 60 s; three times the
    health requests, which the shallow path makes cheap."""

    health_check_timeout: int = 5
    """Seconds (2-120). A busy instance may answer late; a short time-out would take out exactly the busiest ones."""

    healthy_threshold: int = 2
    """Checks in a row to recover. A new target needs only one."""

    unhealthy_threshold: int = 2
    """Checks in a row to be taken out: one lost packet is not a dead instance."""

    deregistration_delay: int = 60
    """Seconds (default 300). Requests here take milliseconds, so a minute to finish is ample; the default would keep
    every instance that scales in for five paid minutes, too short a value would cut long requests."""

    grace_period: int = 300
    """Seconds after InService in which a failing load balancer check does not replace the instance. Shorter than the
    boot means replacing instances for ever, and the boots slow the others down; longer keeps broken ones longer. 300 s
    is what the console proposes."""

    build_timeout: float = 600.0
    """Real seconds one component may take before the build gives up and says what it waited for."""

    poll_shortest: float = 0.2
    """Real seconds between the first looks while waiting."""

    poll_longest: float = 5.0
    """Real seconds between later looks: AWS throttles describe calls that come faster for long."""
