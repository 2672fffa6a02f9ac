"""Would tidy notice? Each rule is shown a file that breaks it and one that does not."""

import sys
import tempfile
import unittest
from pathlib import Path

import document_rules
import include_rules
import text_rules
import tidy
from tree import SourceFile, read_tree

HEAD = "// What it is.\n#ifndef ASSAY_{0}_H_\n#define ASSAY_{0}_H_\n{1}\n#endif  // ASSAY_{0}_H_\n"


def found(path, text, rules=text_rules):
    return [v.message for v in rules.check([SourceFile(path, text)])]


def of_documents(**files):
    return [str(v) for v in document_rules.check([SourceFile(p, t) for p, t in files["files"].items()])]


class Text(unittest.TestCase):
    def assert_found(self, word, path, text, rules=text_rules):
        messages = found(path, text, rules)
        self.assertTrue(any(word in m for m in messages), f"expected '{word}' among {messages}")

    def test_a_long_line_is_noticed(self):
        self.assert_found("101 columns", "sdk/a.cc", "x" * 101 + "\n")
        self.assertEqual(found("sdk/a.cc", "x" * 100 + "\n"), [])

    def test_columns_are_characters_not_bytes(self):
        self.assertEqual(found("sdk/a.cc", "// " + "ü" * 97 + "\n"), [])

    def test_a_table_and_a_program_s_output_may_be_wide(self):
        text = "| " + "x " * 100 + "|\n```\n" + "y " * 100 + "\n```\n"
        self.assertEqual(found("docs/a.md", text), [])
        self.assert_found("columns", "docs/a.md", "y " * 61 + "\n")

    def test_a_long_file_is_noticed(self):
        self.assert_found("301 lines", "cli/a.cc", "int a;\n" * 301)
        self.assertEqual(found("cli/a.cc", "int a;\n" * 300), [])
        self.assertEqual(found("broker/journal/journal.cc", "int a;\n" * 700), [])
        self.assert_found("701 lines", "broker/journal/journal.cc", "int a;\n" * 701)

    def test_a_long_function_is_noticed(self):
        body = "  if (x) {\n    y({1, 2});\n  }\n" * 23
        self.assert_found("function of 71 lines", "cli/a.cc", "void f(int x) {\n" + body + "}\n")
        nested = "namespace a {\nclass B : public C {\n  B() : x_{1}, y_(2) {\n" + body + "  }\n};\n}  // namespace a\n"
        self.assert_found("function of 71 lines", "cli/a.cc", nested)
        self.assertEqual(found("cli/a.cc", "namespace a {\n" + "void f() {\n}\n" * 80 + "}\n"), [])

    def test_braces_in_text_do_not_count(self):
        text = 'const char* a = "{ {";  // {\nconst char* b = R"x({{{)x";\nchar c = \'{\';\nvoid f() {\n  g();\n}\n'
        self.assertEqual(SourceFile("a.cc", text).functions, [(4, 6)])

    def test_a_long_python_function_is_noticed(self):
        self.assert_found("function of 71 lines", "tests/a.py", "def f():\n" + "    g()\n" * 70)

    def test_empty_names_are_noticed(self):
        for path in ("sdk/common/a.cc", "cli/util.h", "cli/queue_manager.cc", "tests/helpers/a.py"):
            self.assert_found("says nothing", path, "")
        self.assertEqual(found("cli/commons_license.md", ""), [])

    def test_what_is_put_off_is_noticed(self):
        self.assert_found("do it now", "docs/a.md", "TO" "DO: say more\n")
        self.assert_found("do it now", "cli/a.cc", "// FIX" "ME\n")
        self.assertEqual(found("cli/a.cc", f'mkdtemp("/tmp/{"X" * 6}");\n'), [])

    def test_using_namespace_std_is_noticed(self):
        self.assert_found("using namespace std", "cli/a.cc", "using namespace std;\n")
        self.assertEqual(found("cli/a.cc", "using namespace std::chrono_literals;  // std\n"), [])

    def test_new_by_hand_is_noticed(self):
        self.assert_found("by hand", "cli/a.cc", "Thing* a = new Thing();\n")
        self.assert_found("by hand", "cli/a.cc", "delete thing;\n")
        owned = "std::unique_ptr<A> a(new A(b));\nA(const A&) = delete;\n// a new life\n"
        self.assertEqual(found("cli/a.cc", owned), [])

    def test_a_sleeping_test_is_noticed(self):
        self.assert_found("sleeps", "tests/a.cc", "std::this_thread::sleep_for(x);\n")
        self.assert_found("sleeps", "tests/a.py", "time.sleep(1)\n")
        self.assertEqual(found("tests/a.py", "script = 'time.sleep(1)'\n"), [])
        self.assertEqual(found("tests/a.cc", 'run("sleep (1)");  // sleep(1)\n'), [])


class Includes(unittest.TestCase):
    def assert_forbidden(self, path, line):
        self.assertTrue(found(path, line + "\n", include_rules), f"{path} may not have {line}")

    def assert_allowed(self, path, line):
        self.assertEqual(found(path, line + "\n", include_rules), [])

    def test_the_core_is_pure(self):
        for line in ('#include "broker/net/loop.h"', '#include "broker/journal/journal.h"', "#include <zmq.hpp>",
                     "#include <thread>", "#include <unistd.h>", '#include "sdk/wire/codec.h"',
                     '#include "assay/client.h"', "#include <sys/stat.h>"):
            self.assert_forbidden("broker/core/a.cc", line)
        for line in ('#include "broker/core/event.h"', "#include <map>", '#include "assay/task.h"'):
            self.assert_allowed("broker/core/a.cc", line)

    def test_heavy_headers_stay_out_of_headers(self):
        heavy = "#include <nlohmann/json.hpp>"
        messages = found("cli/a.h", HEAD.format("CLI_A", heavy), include_rules)
        self.assertEqual(len(messages), 1)
        self.assert_allowed("cli/a.cc", heavy)

    def test_arrows_point_one_way(self):
        self.assert_forbidden("workers/eval/a.cc", '#include "broker/core/event.h"')
        self.assert_forbidden("workers/eval/a.cc", '#include "workers/build/plan.h"')
        self.assert_forbidden("sdk/a.cc", '#include "workers/eval/plan.h"')
        self.assert_forbidden("sdk/a.cc", '#include "broker/core/event.h"')
        self.assert_forbidden("cli/a.cc", '#include "broker/core/event.h"')
        self.assert_forbidden("broker/net/a.cc", '#include "workers/eval/plan.h"')
        self.assert_forbidden("broker/net/a.cc", '#include "tests/support/process.h"')
        self.assert_forbidden("examples/a.cc", '#include "sdk/wire/codec.h"')
        self.assert_allowed("workers/eval/a.cc", '#include "workers/eval/plan.h"')
        self.assert_allowed("broker/net/a.cc", '#include "sdk/wire/codec.h"')
        self.assert_allowed("examples/a.cc", "#include <assay/worker.h>")

    def test_a_header_has_a_guard_and_a_head(self):
        self.assertEqual(found("cli/a.h", HEAD.format("CLI_A", ""), include_rules), [])
        self.assertEqual(found("sdk/include/assay/a.h", HEAD.format("A", ""), include_rules), [])
        self.assertEqual(len(found("cli/a.h", HEAD.format("B", ""), include_rules)), 1)
        self.assertEqual(len(found("cli/a.h", "#pragma once\n", include_rules)), 2)

    def test_only_one_folder_reaches_a_cluster(self):
        line = 'const char* path = "/apis/batch/v1";\n'
        self.assertTrue(found("workers/eval/monitor/a.cc", line, include_rules))
        self.assertTrue(found("cli/a.cc", 'system("kubectl get pods");\n', include_rules))
        self.assertEqual(found("workers/eval/executor/kubernetes/a.cc", line, include_rules), [])
        self.assertEqual(found("cli/a.cc", "// as kubectl does\n", include_rules), [])


class Documents(unittest.TestCase):
    TEST = "TEST(Lease, LateReplyIsRefused) {\n}\n"

    def failures(self, row):
        return of_documents(files={
            "docs/failures.md": "| fault | test |\n| --- | --- |\n" + row + "\n",
            "tests/unit/lease_test.cc": self.TEST,
        })

    def test_a_failure_without_a_test_is_noticed(self):
        self.assertEqual(len(self.failures("| a worker dies | none |")), 1)
        self.assertEqual(len(self.failures("| a worker dies | `NoSuchTest` |")), 1)
        self.assertEqual(self.failures("| a worker dies | `LateReplyIsRefused` |"), [])
        self.assertEqual(self.failures("| a worker dies | `Lease.LateReplyIsRefused` |"), [])
        self.assertEqual(self.failures("| a worker dies | `lease_test.cc` |"), [])

    def test_a_metric_that_nobody_explains_is_noticed(self):
        code = 'line(out, "assay_lost_total", "", 1);\n'
        files = {"docs/operations.md": "`assay_kept_total`\n", "broker/net/metrics.cc": code}
        self.assertEqual(len(of_documents(files=files)), 1)
        files["docs/operations.md"] = "`assay_lost_total`: what was lost\n"
        self.assertEqual(of_documents(files=files), [])

    def test_a_setting_that_nobody_explains_is_noticed(self):
        code = 'options.duration(\n      "lease", settings.lease, "silence");\n'
        files = {"docs/operations.md": "| `data_dir` |\n", "broker/net/main.cc": code}
        self.assertEqual(len(of_documents(files=files)), 1)
        files["docs/operations.md"] = "| `lease` |\n"
        self.assertEqual(of_documents(files=files), [])

    def test_a_refusal_that_the_protocol_does_not_name_is_noticed(self):
        code = 'return fix_input(\n    "odd_task", "too odd");\n'
        files = {"docs/protocol.md": "| `queue_full` |\n", "broker/core/submit.cc": code}
        self.assertEqual(len(of_documents(files=files)), 1)
        files["docs/protocol.md"] = "| `odd_task` |\n"
        self.assertEqual(of_documents(files=files), [])

    def test_a_dead_link_is_noticed(self):
        self.assertEqual(len(of_documents(files={"docs/a.md": "[b](b.md)\n"})), 1)
        self.assertEqual(of_documents(files={"docs/a.md": "[b](../c.md#d) [e](https://e.org)\n", "c.md": ""}), [])

    def test_a_path_of_somebody_s_machine_is_noticed(self):
        self.assertEqual(len(of_documents(files={"docs/a.md": "see /ho" "me/anna/notes\n"})), 1)
        self.assertEqual(of_documents(files={"docs/a.md": "writes to /work/x and /work\n"}), [])


class Program(unittest.TestCase):
    def test_everything_is_printed_at_once_and_the_exit_status_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "bad_manager.cc").write_text("using namespace std;\n" + "x" * 101 + "\n")
            files = read_tree(folder)
            self.assertEqual([f.path for f in files], ["bad_manager.cc"])
            self.assertEqual(len(tidy.violations(files)), 3)


if __name__ == "__main__":
    sys.exit(unittest.main())
