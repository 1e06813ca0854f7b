"""``systemctl`` inside an instance: hands its arguments to the instance's init and prints the answer."""

import json
import os
import socket
import sys


def main() -> int:
    root = os.environ.get("INSTANCE_ROOT", "")
    connection = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(f"{root}/run")  # the socket has a short relative name, whatever the depth of the state folder
        connection.connect("systemctl")
    except OSError:
        print("System has not been booted with systemd as init system (PID 1). Can't operate.", file=sys.stderr)
        return 1
    connection.sendall(json.dumps(sys.argv[1:]).encode() + b"\n")
    with connection.makefile("rb") as answer:
        data = answer.read()
    connection.close()
    if not data:
        print("Connection to the instance's init was lost.", file=sys.stderr)
        return 1
    exit_code, output, errors = json.loads(data)
    sys.stdout.write(output)
    sys.stderr.write(errors)
    return int(exit_code)


if __name__ == "__main__":
    sys.exit(main())
