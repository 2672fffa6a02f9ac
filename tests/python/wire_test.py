"""The codec against the bytes and the document that both SDKs share."""

import os
import re
import unittest

import msgpack

from assay import ids, wire
from assay.errors import MalformedMessage

SOURCE = os.environ.get("ASSAY_SOURCE", os.path.join(os.path.dirname(__file__), "../.."))


def golden():
    """(what it is, first frame, second frame) of every message that the C++ SDK is held to as well."""
    with open(os.path.join(SOURCE, "tests/golden/messages/version_1.txt"), encoding="ascii") as file:
        for block in file.read().strip().split("\n\n"):
            title, first, second = block.split("\n")
            yield title, bytes.fromhex(first), bytes.fromhex(second)


class WireTest(unittest.TestCase):
    def test_every_golden_message_is_read_and_written_to_the_same_bytes(self):
        names = set()
        for title, first, second in golden():
            with self.subTest(title):
                if title.startswith("event"):
                    name, fields = "event", wire.decode_struct("event", second)
                    self.assertEqual(wire.encode_struct(name, fields), second)
                    topic = f"{fields['queue']}/{fields['task'] or ids.NONE}/{fields['kind']}"
                    self.assertEqual(topic.encode(), first)
                    continue
                name, fields = wire.decode(first, second)
                names.add(name)
                self.assertEqual(name, title.split()[0])
                self.assertEqual(wire.encode(name, fields), (first, second))
        self.assertEqual(names, set(wire.NUMBERS), "every message has its bytes")

    def test_the_table_says_what_the_document_says(self):
        with open(os.path.join(SOURCE, "docs/protocol.md"), encoding="utf-8") as file:
            document = file.read().split("## 9. Messages")[1].split("\n## 10.")[0]
        described = {}
        for line in document.split("\n"):
            head = re.match(r"#### (.+?)(?: \((\d+)\))?$", line)
            row = re.match(r"\| `(\w+)` \| (.+?) \| (required|optional)(?:, (.*?))? \|", line)
            if head:
                keys = described[head[1].replace(" ", "_")] = []
                if head[2]:
                    self.assertEqual(wire.NUMBERS[head[1]], int(head[2]))
            elif row:
                keys.append((row[1], row[3] == "required"))
        told = {}
        for name, keys in wire.STRUCTS.items():
            told[name] = [(key.name, key.initial is wire._REQUIRED) for key in keys]
        self.assertEqual(described, told)

    def test_enumerations_are_those_of_the_document(self):
        with open(os.path.join(SOURCE, "docs/protocol.md"), encoding="utf-8") as file:
            document = file.read().split("### 4.3 Enumerations")[1].split("\n## 5.")[0]
        described = {}
        for name, cells in re.findall(r"^\| \*\*(\w+)\*\*[^|]*\|(.*)\|$", document, re.M):
            described[name] = tuple(cell.strip() for cell in cells.split("|"))
        for name, words in wire.ENUMERATIONS.items():
            padded = words + ("",) * (len(described[name]) - len(words))
            self.assertEqual(described[name], padded, name)
        self.assertEqual(set(described), set(wire.ENUMERATIONS))

    def test_every_beginning_and_every_changed_byte_is_read_or_refused_and_nothing_else(self):
        refused = read = 0
        for title, first, second in golden():
            name = "event" if title.startswith("event") else wire.NAMES[int.from_bytes(first[6:], "big")]
            variants = [second[:end] for end in range(len(second))]
            for place in range(len(second)):
                variants += [second[:place] + bytes([second[place] ^ flip]) + second[place + 1:] for flip in (1, 0x80)]
            for variant in variants:
                try:
                    wire.decode_struct(name, variant)
                    read += 1
                except MalformedMessage:
                    refused += 1
        self.assertGreater(refused, 1000)
        self.assertGreater(read, 100)

    def test_mistakes_name_place_expectation_and_find(self):
        good = {"id": ids.new_id(), "queue": "q", "owner": "me"}
        for fields, words in (
                ({"request": -1, "tasks": []}, "SUBMIT: request: expected an integer"),
                ({"request": 1}, "SUBMIT: tasks: expected a value, found none"),
                ({"request": 1, "tasks": [good, {**good, "owner": 7}]}, "SUBMIT: tasks[1].owner: expected a string"),
                ({"request": 1, "tasks": [{**good, "queue": "a/b"}]}, "SUBMIT: tasks[0].queue: expected a name"),
                ({"request": 1, "tasks": [{**good, "priorty": 1}]}, "there is no key priorty"),
                ({"request": 1, "tasks": [good] * 10_001}, "expected at most 10000 items, found 10001"),
                ({"request": 1, "tasks": [{**good, "body": b"x" * (wire.BODY_BYTES_MAX + 1)}]}, "bytes"),
                ({"request": 1, "tasks": [{**good, "labels": {"a": "x" * 1025}}]}, "labels['a']: expected")):
            with self.assertRaises(MalformedMessage) as caught:
                wire.encode("SUBMIT", fields)
            self.assertIn(words, str(caught.exception))

    def test_unknown_keys_are_passed_over_and_doubled_ones_refused(self):
        deep = {"a": [1, {"b": None}]}
        self.assertEqual(wire.decode_struct("SUBMITTED", msgpack.packb({"request": 1, "accepted": 2, "new": deep})),
                         {"request": 1, "accepted": 2, "duplicates": []})
        with self.assertRaises(MalformedMessage):
            wire.decode_struct("SUBMITTED", b"\x83\xa7request\x01\xa7request\x01\xa8accepted\x02")


class IdTest(unittest.TestCase):
    def test_text_and_bytes_are_the_same_id(self):
        self.assertEqual(ids.bytes_of("01HZY3V7QK5N8D2R4T6W9X0ABC").hex(), "018ffc3d9ef32d50d1609a3713d0296c")
        self.assertEqual(ids.text_of(bytes.fromhex("018ffc3d9ef32d50d1609a3713d0296c")), "01HZY3V7QK5N8D2R4T6W9X0ABC")
        for text in ("", "01HZY3V7QK5N8D2R4T6W9X0AB", "8" + "Z" * 25, "U" * 26, "01HZY3V7QK5N8D2R4T6W9X0AB/"):
            with self.assertRaises(ValueError):
                ids.bytes_of(text)

    def test_derived_ids_repeat_and_differ(self):
        run = ids.new_id()
        self.assertEqual(ids.derived_id(run, "0"), ids.derived_id(run.lower(), "0"))
        self.assertEqual(len({ids.derived_id(run, str(i)) for i in range(1000)}), 1000)


if __name__ == "__main__":
    unittest.main()
