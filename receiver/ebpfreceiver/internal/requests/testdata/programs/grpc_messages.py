"""Messages of gRPC's test service (grpc.testing.TestService), as far as sizes are
concerned, without a compiler of protocol buffers."""
import random


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def fields(message):
    """The fields of a message, which are numbers and byte strings."""
    at = 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            c = message[at]
            at += 1
            n |= (c & 127) << shift
            shift += 7
            if c < 128:
                return n

    while at < len(message):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        else:
            n = number()
            yield tag >> 3, message[at:at + n]
            at += n


def inner(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


def payload(field, body):
    """A Payload with that body."""
    return inner(field, inner(2, body))


def sizes(message, field):
    """The sizes that a request asks for: response_size, or those of
    response_parameters."""
    for number, value in fields(message):
        if number == field:
            yield value if isinstance(value, int) else dict(fields(value)).get(1, 0)


def body(n):
    """Bytes that no compression shortens."""
    return random.Random(n).randbytes(n)
