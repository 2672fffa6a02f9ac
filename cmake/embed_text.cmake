# cmake -DOUTPUT=text.cc -DHEADER=path.h -DNAMESPACE=a::b -DFUNCTION=name "-DFILES=a;b" -P embed_text.cmake
# Writes a function that gives {file's stem, its text} for each file, so that the program needs nothing beside it.
set(body "")
foreach(file ${FILES})
  file(READ ${file} hex HEX)
  # Literals of bounded length, joined by the compiler.
  string(REGEX REPLACE "(................................................................)" "\\1\n" text "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" text "${text}")
  string(REPLACE "\n" "\"\n    \"" text "${text}")
  get_filename_component(stem ${file} NAME_WE)
  string(LENGTH "${hex}" digits)
  math(EXPR length "${digits} / 2")
  string(APPEND body "  out.emplace(\"${stem}\", std::string(\n    \"${text}\", ${length}));\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from ${FILES}; see embed_text.cmake.
#include \"${HEADER}\"
namespace ${NAMESPACE} {
std::map<std::string, std::string> ${FUNCTION}() {
  std::map<std::string, std::string> out;
${body}  return out;
}
}  // namespace ${NAMESPACE}
")
