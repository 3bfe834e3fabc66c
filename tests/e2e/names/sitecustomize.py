"""Lets the host name `redis`, port 6379, mean the Redis of the test run.

On the PYTHONPATH of processes that run the documentation's commands as they stand.
`WOVE_TEST_REDIS_PORT` has the port on 127.0.0.1.
"""

import os
import socket

resolve = socket.getaddrinfo


def getaddrinfo(host, port, *args, **kwargs):
    if host == "redis" and int(port) == 6379:
        host, port = "127.0.0.1", int(os.environ["WOVE_TEST_REDIS_PORT"])
    return resolve(host, port, *args, **kwargs)


socket.getaddrinfo = getaddrinfo
