// A file descriptor that is closed when it goes out of scope.
#ifndef ASSAY_WORKERS_BUILD_DESCRIPTOR_H_
#define ASSAY_WORKERS_BUILD_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace assay::image_build {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return number_; }
  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }

 private:
  int number_ = -1;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_DESCRIPTOR_H_
