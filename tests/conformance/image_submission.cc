// The program of an image that is submitted as an evaluation: does what its first argument says.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace {

// What a cheat would tell the harness, if it could be heard.
void forge() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/assay-run/harness.sock");
  const int harness = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(harness, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const std::string_view lines =
      "{\"type\":\"loaded\",\"tests\":[{\"name\":\"image\"}]}\n"
      "{\"type\":\"result\",\"test\":\"image\",\"passed\":true}\n";
  (void)!write(harness, lines.data(), lines.size());
  std::puts("{\"event\":\"result\",\"test\":\"image\",\"outcome\":\"passed\"}");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wish = argc > 1 ? argv[1] : "";
  std::printf("asked to %s, with %s\n", argc > 1 ? argv[1] : "nothing", argc > 2 ? argv[2] : "");
  std::fflush(stdout);
  if (wish == "write") {
    std::FILE* file = std::fopen("/work/out.json", "w");
    if (file == nullptr) return 4;
    std::fputs("{\"found\": 42}", file);
    return std::fclose(file);
  }
  if (wish == "forge") {
    forge();
    kill(-1, SIGKILL);  // process 1 and who speaks for us, if they can be killed
    return 5;
  }
  if (wish == "die") raise(SIGKILL);
  if (wish == "endless") pause();
  return 3;
}
