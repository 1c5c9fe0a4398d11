/* Structs, encoders and decoders of everything in messages.def.
 *
 *   struct tas_msg_NAME               the fields, in host order
 *   tas_msg_NAME_decode(&out, bytes)  TAS_OK, or TAS_E_PROTO: too short, bytes left over, padding not zero;
 *                                     TAS_E_LIMIT: a tail longer than declared. `out` is then untouched.
 *   tas_msg_NAME_encode(&msg, out, cap) the bytes written. TAS_E_LIMIT: they do not fit, or a tail is too
 * long.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* clang-format off */
#define LAYOUT(NAME, name, size)       struct tas_msg_##name {
#define RECORD(id, NAME, name)         struct tas_msg_##name {
#define MESSAGE(id, NAME, name, ch)    struct tas_msg_##name {
#define U8(f)        uint8_t f;
#define U16(f)       uint16_t f;
#define U32(f)       uint32_t f;
#define U64(f)       uint64_t f;
#define U32S(f, n)   uint32_t f[n];
#define U64S(f, n)   uint64_t f[n];
#define BYTES(f, n)  uint8_t f[n];
#define PAD(n)
#define TAIL(f, max) struct tas_bytes f;
#define END(name)    };
#include "wire/messages.def"
#include "wire/fields_undef.h"

#define PROTOTYPES(name) \
    TAS_MUST_USE int tas_msg_##name##_decode(struct tas_msg_##name *out, struct tas_bytes in); \
    TAS_MUST_USE int tas_msg_##name##_encode(const struct tas_msg_##name *msg, uint8_t *out, size_t cap);
#define LAYOUT(NAME, name, size)    PROTOTYPES(name)
#define RECORD(id, NAME, name)      PROTOTYPES(name)
#define MESSAGE(id, NAME, name, ch) PROTOTYPES(name)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
#undef PROTOTYPES

/* Bytes of each layout that has a fixed size. */
enum {
#define LAYOUT(NAME, name, size)    TAS_SIZE_##NAME = size,
#define RECORD(id, NAME, name)
#define MESSAGE(id, NAME, name, ch)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
};

/* Types of L1 records. */
enum tas_record_type {
#define LAYOUT(NAME, name, size)
#define RECORD(id, NAME, name)      TAS_RECORD_##NAME = id,
#define MESSAGE(id, NAME, name, ch)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
};

/* Types of L3 messages. */
enum tas_message_type {
#define LAYOUT(NAME, name, size)
#define RECORD(id, NAME, name)
#define MESSAGE(id, NAME, name, ch) TAS_MESSAGE_##NAME = id,
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
};
/* clang-format on */

/* "HELLO" for 0x01; "unknown" otherwise. Static. */
const char *tas_record_type_name(uint8_t type);

/* "AUTH" for 0x8001; "unknown" otherwise. Static. */
const char *tas_message_type_name(uint16_t type);

/* The channel a message type belongs to; -1: unknown type. */
int tas_message_channel(uint16_t type);
