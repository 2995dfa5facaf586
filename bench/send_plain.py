"""Messages sent in a loop over one connection of aiosmtplib; run by send.py with a Python that has it.

Arguments: port, messages. The messages are made before the clock starts; nothing is written down.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib  # type: ignore[import-not-found,unused-ignore]


def message(number: int) -> EmailMessage:
    """One of the messages that Postbench sends, too."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = "Ada <ada@sender.test>", f"plain{number}@lab.test"
    made["Subject"] = f"Hello Name {number}"
    made.set_content(f"Dear Name {number},\n\nthis is a short message.\n\n1 High Street, London\n")
    return made


async def main(port: int, count: int) -> None:
    """Send them one after the other."""
    messages = [message(number) for number in range(count)]
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False)
    await client.connect()
    started = time.perf_counter()
    for made in messages:
        await client.send_message(made)
    seconds = time.perf_counter() - started
    await client.quit()
    print(json.dumps({"seconds": seconds}))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
