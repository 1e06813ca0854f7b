#!/bin/bash
# Makes a machine serve the Visitor Board. Run by Session Manager on the first instance (by hand), and by cloud-init on every
# instance of the group (user data: the same script, now nobody has to remember it). Running it twice changes nothing.
set -euo pipefail

RELEASE_URL=@RELEASE_URL@
RELEASE=@RELEASE@
PYTHON=@PYTHON@
APP_MODULE=@APP_MODULE@
TABLE_NAME=@TABLE_NAME@
AWS_REGION=@AWS_REGION@
PORT=@PORT@
HEALTH_PATH=@HEALTH_PATH@

ROOT="${INSTANCE_ROOT:-}" # empty on AWS; in the laptop cloud, the folder that is this instance's disk
APP="$ROOT/opt/visitor-board/$RELEASE"
UNIT="$ROOT/etc/systemd/system/visitor-board.service"

say() { echo "visitor-board: $*"; }

retry() { # retry TIMES COMMAND...: the network, and the role's credentials, may need some seconds after the first boot
    local left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        say "trying again: $*"
        sleep 2
    done
}

download() {
    rm -rf "$APP.part" && mkdir -p "$APP.part" &&
        aws s3 cp --only-show-errors --region "$AWS_REGION" "$RELEASE_URL" - | tar -xz -C "$APP.part"
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
NoNewPrivileges=true
ProtectSystem=strict

[Install]
WantedBy=multi-user.target
UNIT_FILE
}

command -v "$PYTHON" >/dev/null || retry 5 dnf install -y "$PYTHON"

if [ -d "$APP" ]; then
    say "release $RELEASE is already here" # baked into the image, or a second run
else
    say "downloading $RELEASE_URL"
    retry 5 download
    mv "$APP.part" "$APP"
fi

if [ -z "$ROOT" ] && [ "$(id -u)" = 0 ]; then
    id -u visitor-board >/dev/null 2>&1 || useradd --system --shell /sbin/nologin visitor-board
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
say "the app does not answer on port $PORT after a minute; its log:"
journalctl -u visitor-board --no-pager -n 30
exit 1
