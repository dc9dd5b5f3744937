"""peer.py SERVER NAME PORT: looks up a name, and says SET to the Redis there."""
import socket
import struct
import sys

server, name, port = sys.argv[1:]
question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\1\0\1"
lookup = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
lookup.connect((server, 53))
lookup.send(struct.pack(">6H", 17, 0x0100, 1, 0, 0, 0) + question)
answer = lookup.recv(512)
redis = socket.create_connection((socket.inet_ntoa(answer[-4:]), int(port)))
redis.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n")
assert redis.recv(100) == b"+OK\r\n"
