#include "workers/eval/executor/local/system_call_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

namespace assay::eval {
namespace {

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

// Not there, as on a kernel without it: programs know what to do then.
constexpr int kAbsent[] = {
    // Memory that no process maps: the watch over the sandbox's memory would not see it.
    SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret), SCMP_SYS(shmget), SCMP_SYS(shmat),
    SCMP_SYS(shmctl), SCMP_SYS(msgget), SCMP_SYS(semget),
    // Doors to the kernel that hostile code has used and evaluations have no use for.
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(keyctl), SCMP_SYS(kexec_load), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(move_mount),
    SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(setns), SCMP_SYS(unshare),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl), SCMP_SYS(acct), SCMP_SYS(reboot)};

bool deny(void* filter, int error, int call) {
  // A call that this architecture does not have needs no rule.
  const int status =
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint16_t>(error)), call, 0);
  return status == 0 || status == -EDOM || status == -EFAULT;
}

// Only the families that the network namespace closes off, or that never leave the machine. Others
// (AF_VSOCK reaches the host of a virtual machine) are not bound to a namespace.
bool deny_families(void* filter) {
  static_assert(AF_UNIX == 1 && AF_INET == 2 && AF_INET6 == 10 && AF_NETLINK == 16);
  const auto refused = SCMP_ACT_ERRNO(EAFNOSUPPORT);
  for (const int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)}) {
    for (int family = 0; family < AF_MAX; ++family) {
      if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK)
        continue;
      if (seccomp_rule_add(filter, refused, call, 1,
                           SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))) != 0) {
        return false;
      }
    }
    if (seccomp_rule_add(filter, refused, call, 1, SCMP_A0(SCMP_CMP_GE, AF_MAX)) != 0) return false;
  }
  return true;
}

}  // namespace

Result<Descriptor> make_system_call_filter() {
  const auto failed = [](const char* what) {
    return retry_later("pod_failed",
                       std::string("cannot make the filter of system calls: ") + what);
  };
  // The program's own architecture only: calls of another (32-bit ones) end the process.
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return failed("no memory");
  if (seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0) {
    return failed("this system can't tell architectures apart");
  }
  for (const int call : kAbsent) {
    if (!deny(filter.get(), ENOSYS, call)) return failed("a rule was refused");
  }
  if (!deny_families(filter.get())) return failed("a rule about sockets was refused");
  Descriptor file(memfd_create("assay-filter", MFD_CLOEXEC));
  if (!file || seccomp_export_bpf(filter.get(), file.get()) != 0 ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    return failed("it can't be written down");
  }
  return file;
}

}  // namespace assay::eval
