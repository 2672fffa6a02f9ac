// assay-pod: what runs inside the pods of the Kubernetes executor beside the harness. Static, so
// that it runs in any image.
#include <cstdio>
#include <string_view>

#include "workers/eval/executor/kubernetes/pod/prepare.h"
#include "workers/eval/executor/kubernetes/pod/program.h"
#include "workers/eval/executor/kubernetes/pod/subject.h"

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "prepare") return assay::eval::kubernetes::prepare(argc - 2, argv + 2);
  if (command == "subject") return assay::eval::kubernetes::run_subject(argc - 2, argv + 2);
  if (command == "program") return assay::eval::kubernetes::run_program(argc - 2, argv + 2);
  if (command == "--version") {
    std::printf("assay-pod %s\n", ASSAY_VERSION);
    return 0;
  }
  std::fprintf(stderr, "usage: assay-pod prepare|subject|program ... (started by assay-eval)\n");
  return 2;
}
