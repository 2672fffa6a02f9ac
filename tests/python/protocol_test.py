"""docs/protocol.md alone suffices: a producer, a worker and a subscriber written from it with a ZeroMQ library and a
msgpack library, and nothing of ours."""

import os
import struct
import time
import unittest

import msgpack
import zmq
from broker import Broker

CLIENT_HELLO, WORKER_HELLO, WELCOME, ERROR, HEARTBEAT, GOODBYE = 1, 2, 3, 4, 5, 6
SUBMIT, SUBMITTED, AWAIT, RESULTS, EVENTS, EVENT_LIST = 16, 17, 18, 19, 28, 29
TASKS, REPORT, RECORDED, PROGRESS = 48, 49, 50, 51


def new_id():
    return struct.pack(">Q", int(time.time() * 1000))[2:] + os.urandom(10)


class Peer:
    """A DEALER that sends and receives messages (section 4.1)."""

    def __init__(self, context, endpoint):
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)

    def send(self, kind, **fields):
        self.socket.send_multipart([b"ASSAY\x01" + struct.pack(">H", kind), msgpack.packb(fields)])

    def receive(self, kind):
        """The next message of this kind; heartbeats are passed over, anything else is a failure."""
        while True:
            assert self.socket.poll(20000), f"nothing came instead of {kind}"
            header, payload = self.socket.recv_multipart()
            assert header[:6] == b"ASSAY\x01"
            found = struct.unpack(">H", header[6:])[0]
            fields = msgpack.unpackb(payload)
            if found == kind:
                return fields
            assert found == HEARTBEAT, (found, fields)


class ProtocolTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.context = zmq.Context()
        self.sockets = []
        self.addCleanup(self.close)

    def close(self):
        for socket in self.sockets:
            socket.close(0)
        self.context.term()

    def peer(self, endpoint):
        peer = Peer(self.context, endpoint)
        self.sockets.append(peer.socket)
        return peer

    def client(self):
        client = self.peer(self.broker.clients)
        client.send(CLIENT_HELLO, version_min=1, version_max=1, name="from the document")
        self.assertEqual(client.receive(WELCOME)["version"], 1)
        return client

    def worker(self, **more):
        worker = self.peer(self.broker.workers)
        worker.send(WORKER_HELLO, version_min=1, version_max=1, name="w1", queues=["plain"], slots=1, **more)
        worker.receive(WELCOME)
        return worker

    def test_submits_works_and_subscribes(self):
        subscriber = self.context.socket(zmq.SUB)
        self.sockets.append(subscriber)
        subscriber.connect(self.broker.feed)
        subscriber.subscribe("plain/")
        client, worker = self.client(), self.worker()
        task = new_id()
        spec = {"id": task, "queue": "plain", "owner": "me", "body": b"question"}
        client.send(SUBMIT, request=1, tasks=[spec])
        self.assertEqual(client.receive(SUBMITTED), {"request": 1, "accepted": 1})
        client.send(SUBMIT, request=2, tasks=[spec])
        self.assertEqual(client.receive(SUBMITTED), {"request": 2, "accepted": 0, "duplicates": [task]})
        client.send(AWAIT, request=3, ids=[task])
        self.assertEqual(client.receive(RESULTS)["pending"], [task])

        given = worker.receive(TASKS)["tasks"][0]
        self.assertEqual((given["id"], given["attempt"], given["body"]), (task, 1, b"question"))
        worker.send(PROGRESS, reports=[{"id": task, "attempt": 1, "kind": 1, "done": 1, "total": 2}])
        worker.send(REPORT, reports=[{"id": task, "attempt": 1, "outcome": 0, "result": b"answer"}])
        self.assertEqual(worker.receive(RECORDED), {"recorded": [{"id": task, "attempt": 1}]})
        result = client.receive(RESULTS)["results"][0]
        self.assertEqual((result["id"], result["state"], result["result"]), (task, 3, b"answer"))

        client.send(EVENTS, request=4, after=0, tasks=[task])
        kept = client.receive(EVENT_LIST)
        self.assertEqual([(event["kind"], event.get("state", 1)) for event in kept["events"]],
                         [(0, 1), (0, 2), (1, 2), (0, 3)])
        self.assertEqual([event.get("previous", 0) for event in kept["events"]],
                         [0] + [event["sequence"] for event in kept["events"][:-1]])
        live = {}
        while subscriber.poll(2000) and (not live or max(live) < kept["events"][-1]["sequence"]):
            topic, payload = subscriber.recv_multipart()
            self.assertTrue(topic.startswith(b"plain/"))
            event = msgpack.unpackb(payload)
            live[event["sequence"]] = event
        for event in kept["events"]:  # the subscription may have come late; what it brought is the same
            if event["sequence"] in live:
                self.assertEqual(live[event["sequence"]], event)
        self.assertIn(kept["events"][-1]["sequence"], live)

    def test_a_worker_keeps_its_attempt_over_a_killed_broker(self):
        client, worker = self.client(), self.worker()
        task = new_id()
        client.send(SUBMIT, request=1, tasks=[{"id": task, "queue": "plain", "owner": "me"}])
        client.receive(SUBMITTED)
        worker.receive(TASKS)
        self.broker.restart()
        held = [{"id": task, "attempt": 1}]
        worker = self.worker(holding=held)
        worker.send(REPORT, reports=[{"id": task, "attempt": 1, "outcome": 1, "cause": 1, "reason": "no"}])
        self.assertEqual(worker.receive(RECORDED)["recorded"], held)
        client = self.client()
        client.send(AWAIT, request=1, ids=[task])
        result = client.receive(RESULTS)["results"][0]
        self.assertEqual((result["state"], result["cause"], result["reason"], result["attempt"]), (4, 1, "no", 1))

    def test_mistakes_are_answered(self):
        client = self.client()
        client.send(SUBMIT, request=7, tasks=[{"id": new_id(), "queue": "plain"}])
        error = client.receive(ERROR)
        self.assertEqual((error["request"], error["code"], error["reason"]), (7, 3, "malformed_message"))
        stranger = self.peer(self.broker.clients)
        stranger.send(AWAIT, request=1, ids=[new_id()])
        self.assertEqual(stranger.receive(ERROR)["reason"], "hello_first")


if __name__ == "__main__":
    unittest.main()
