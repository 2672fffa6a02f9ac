// How one field of a message is described: its key, its member, whether it must be there. fields.h
// has the table.
#ifndef ASSAY_SDK_WIRE_FIELD_H_
#define ASSAY_SDK_WIRE_FIELD_H_

#include <string_view>
#include <tuple>

#include "assay/message.h"

namespace assay::wire {

enum class Need { kRequired, kOptional };
// How a std::string travels: text as msgpack str, opaque bytes as msgpack bin.
enum class Form { kText, kBytes };

template <typename Struct, typename Member>
struct Field {
  std::string_view key;
  Member Struct::*member;
  Need need;
  Form form;
};

template <typename Struct, typename Member>
constexpr auto required(std::string_view key, Member Struct::*member, Form form = Form::kText) {
  return Field<Struct, Member>{key, member, Need::kRequired, form};
}
template <typename Struct, typename Member>
constexpr auto optional(std::string_view key, Member Struct::*member, Form form = Form::kText) {
  return Field<Struct, Member>{key, member, Need::kOptional, form};
}

template <typename Struct>
struct Fields;

template <typename Struct>
concept Described = requires {
  Fields<Struct>::kAll;
};

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_FIELD_H_
