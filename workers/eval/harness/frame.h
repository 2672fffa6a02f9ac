// Lines on their way through a log that others keep: a container's log breaks long lines, loses its
// end for a while, or is read twice. A frame is one short line "NUMBER+TEXT" or "NUMBER.TEXT": the
// number counts up from 1, `.` ends a line of ours, `+` goes on in the next frame. So a reader sees
// what it has and what it misses. Pure.
#ifndef ASSAY_WORKERS_EVAL_HARNESS_FRAME_H_
#define ASSAY_WORKERS_EVAL_HARNESS_FRAME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::eval {

class FrameWriter {
 public:
  // One line, without its newline, as frames.
  std::string line(std::string_view text) { return frames(text, '.'); }
  // A piece of a line that is not over.
  std::string piece(std::string_view text) { return frames(text, '+'); }

 private:
  std::string frames(std::string_view text, char last);
  std::uint64_t next_ = 1;
};

class FrameReader {
 public:
  // What was read of the log, from any frame on: those that it has are passed over. Returns what
  // the new frames hold, in order; lines end in a newline.
  std::string add(std::string_view bytes);
  // A frame is missing: read the log again from its beginning, after restart().
  bool gap() const { return gap_; }
  // What comes next was read from another place in the log: half a frame before it is forgotten.
  void restart();
  std::uint64_t frames() const { return next_ - 1; }
  // Bytes that were no frames: somebody else wrote to the log.
  std::uint64_t strange_bytes() const { return strange_; }

 private:
  void on_frame(std::string_view line, std::string& out);

  std::string half_;
  std::uint64_t next_ = 1;
  std::uint64_t strange_ = 0;
  bool gap_ = false;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_HARNESS_FRAME_H_
