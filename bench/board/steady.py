"""An open-loop load: requests are due at a fixed rate whether or not the earlier ones were answered."""

from __future__ import annotations

import asyncio
import time


async def _connection(port: int, head: bytes, queue: asyncio.Queue[float | None], seen: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (due := await queue.get()) is not None:
        writer.write(head)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        seen.append((time.perf_counter() - due) * 1000 if answer.startswith(b"HTTP/1.1 200") else float("inf"))
    writer.close()


async def _run(port: int, path: str, rate: float, seconds: float, connections: int) -> list[float]:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: visited=1\r\n\r\n".encode()
    queue: asyncio.Queue[float | None] = asyncio.Queue()
    seen: list[float] = []
    workers = [asyncio.create_task(_connection(port, head, queue, seen)) for _ in range(connections)]
    begun = time.perf_counter()
    for n in range(int(rate * seconds)):
        due = begun + n / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        queue.put_nowait(due)
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return seen


def latencies(port: int, path: str, rate: float, seconds: float, connections: int = 32) -> list[float]:
    """Milliseconds from when each request was due to its answer, sorted; infinite for a failed one."""
    return sorted(asyncio.run(_run(port, path, rate, seconds, connections)))
