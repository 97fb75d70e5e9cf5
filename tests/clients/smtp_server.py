"""An SMTP server for the tests: aiosmtpd on a free port. Writes its port to the first file, and each mail as a line of
JSON to the second. `reject…@` is refused for good, `later…@` is put off the first time."""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP

port_file, mails_file = sys.argv[1:3]
put_off = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("reject"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later") and address not in put_off:
            put_off.add(address)
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        line = {
            "to": envelope.rcpt_tos,
            "from": envelope.mail_from,
            "subject": mail["subject"],
            "messageId": mail["message-id"],
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        }
        with open(mails_file, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="localhost"), "127.0.0.1", 0)
    with open(port_file + ".new", "w", encoding="utf-8") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    import os

    os.rename(port_file + ".new", port_file)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
