#!/bin/bash
# Makes a machine serve the Visitor Board. Run by Session Manager on the first instance (by hand), and by cloud-init on every
# instance of the group (user data: the same script, now nobody has to remember it). Running it twice changes nothing.
# What it prints is in the instance's console output (aws ec2 get-console-output) and in /var/log/cloud-init-output.log.
set -Eeuo pipefail
umask 022

RELEASE_URL=@RELEASE_URL@
RELEASE=@RELEASE@
PYTHON=@PYTHON@
APP_MODULE=@APP_MODULE@
TABLE_NAME=@TABLE_NAME@
AWS_REGION=@AWS_REGION@
PORT=@PORT@
HEALTH_PATH=@HEALTH_PATH@
STACK=@STACK@       # of CloudFormation, which waits for a signal of this script; empty for a machine built without it
RESOURCE=@RESOURCE@ # the logical id that waits

ROOT="${INSTANCE_ROOT:-}" # empty on AWS; in the laptop cloud, the folder that is this instance's disk
APP="$ROOT/opt/visitor-board/$RELEASE"
UNIT="$ROOT/etc/systemd/system/visitor-board.service"
SIGNAL=/opt/aws/bin/cfn-signal

say() { echo "visitor-board: $*"; }

retry() { # retry TIMES COMMAND...: the network, and the role's credentials, may need some seconds after the first boot
    local left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { say "gave up: $*" && return 1; }
        say "trying again: $*"
        sleep 2
    done
}

finish() { # whatever happened, it is told: in words here, as an exit code to whoever started this, and to the stack
    local code=$?
    trap - ERR
    if [ "$code" != 0 ]; then
        say "FAILED with exit code $code; the app's last words:"
        journalctl -u visitor-board --no-pager -n 30 || true
    fi
    [ -z "$STACK" ] || signal "$code" || say "CloudFormation could not be told; the stack waits for its time-out"
}

signal() {
    [ -x "$SIGNAL" ] || dnf install -y aws-cfn-bootstrap # part of the standard image, not of the minimal one
    "$SIGNAL" --exit-code "$1" --stack "$STACK" --resource "$RESOURCE" --region "$AWS_REGION"
}

trap 'say "line $LINENO: exit code $?: $BASH_COMMAND"' ERR
trap finish EXIT

download() {
    rm -rf "$APP.part" && mkdir -p "$APP.part" &&
        aws s3 cp --only-show-errors --region "$AWS_REGION" "$RELEASE_URL" - | tar -xz --no-same-owner -C "$APP.part"
}

healthy() ( # without curl: bash opens the connection itself
    exec 3<>"/dev/tcp/${HOST:-127.0.0.1}/$PORT" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$HEALTH_PATH" >&3
    read -r -t 5 _ status _ <&3 && [ "$status" = 200 ]
) 2>/dev/null

write_unit() {
    mkdir -p "${UNIT%/*}"
    local host_line="Environment=HOST=0.0.0.0"
    [ -z "${HOST:-}" ] || host_line="" # the laptop cloud gives each instance an address of its own
    cat >"$UNIT" <<UNIT_FILE
[Unit]
Description=Visitor Board
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=$(command -v "$PYTHON") -m $APP_MODULE serve
Environment=PYTHONPATH=$APP
Environment=TABLE_NAME=$TABLE_NAME
Environment=AWS_REGION=$AWS_REGION
Environment=PORT=$PORT
$host_line
User=visitor-board
Restart=always
RestartSec=1
# The app listens, asks AWS, and reads its code: it may do nothing else.
NoNewPrivileges=true
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
ProtectProc=invisible
ProtectClock=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectControlGroups=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
UNIT_FILE
}

if [ -z "$ROOT" ]; then
    [ "$(id -u)" = 0 ] || { say "this must run as root"; exit 1; }
    id -u visitor-board >/dev/null 2>&1 || useradd --system --shell /sbin/nologin visitor-board
fi

command -v "$PYTHON" >/dev/null || retry 5 dnf install -y "$PYTHON"

if [ -d "$APP" ]; then
    say "release $RELEASE is already here" # baked into the image, or a second run
else
    say "downloading $RELEASE_URL"
    retry 5 download
    mv "$APP.part" "$APP"
fi

before="$(cat "$UNIT" 2>/dev/null || true)"
write_unit
systemctl daemon-reload
systemctl enable --now visitor-board
if [ -n "$before" ] && [ "$before" != "$(cat "$UNIT")" ]; then
    systemctl restart visitor-board
fi

for _ in $(seq 1 300); do
    if healthy; then
        say "serving on port $PORT"
        exit 0
    fi
    sleep 0.2
done
say "the app does not answer on port $PORT after a minute"
exit 1
