#include "wire/messages.h"

/* clang-format off */
#define HEAD(name) \
    int tas_msg_##name##_decode(struct tas_msg_##name *out, struct tas_bytes in) { \
        struct tas_msg_##name m; \
        struct tas_reader r = tas_reader_of(in); \
        int err = TAS_OK;
#define LAYOUT(NAME, name, size)    HEAD(name)
#define RECORD(id, NAME, name)      HEAD(name)
#define MESSAGE(id, NAME, name, ch) HEAD(name)
#define U8(f)        m.f = tas_read_u8(&r);
#define U16(f)       m.f = tas_read_u16(&r);
#define U32(f)       m.f = tas_read_u32(&r);
#define U64(f)       m.f = tas_read_u64(&r);
#define U32S(f, n)   for (size_t i = 0; i < (n); i++) m.f[i] = tas_read_u32(&r);
#define U64S(f, n)   for (size_t i = 0; i < (n); i++) m.f[i] = tas_read_u64(&r);
#define BYTES(f, n)  { struct tas_bytes b = tas_read_bytes(&r, n); memset(m.f, 0, n); if (b.len) memcpy(m.f, b.ptr, b.len); }
#define PAD(n)       tas_read_zero(&r, n);
#define TAIL(f, max) if (r.in.len > (max)) err = TAS_E_LIMIT; m.f = tas_read_bytes(&r, r.in.len);
#define END(name) \
        if (err == TAS_OK && (r.bad || r.in.len > 0)) \
            err = TAS_E_PROTO; \
        if (err == TAS_OK) \
            *out = m; \
        return err; \
    }
#include "wire/messages.def"
#include "wire/fields_undef.h"
#undef HEAD

#define HEAD(name) \
    int tas_msg_##name##_encode(const struct tas_msg_##name *m, uint8_t *out, size_t cap) { \
        struct tas_writer w = tas_writer_of(out, cap);
#define LAYOUT(NAME, name, size)    HEAD(name)
#define RECORD(id, NAME, name)      HEAD(name)
#define MESSAGE(id, NAME, name, ch) HEAD(name)
#define U8(f)        tas_write_u8(&w, m->f);
#define U16(f)       tas_write_u16(&w, m->f);
#define U32(f)       tas_write_u32(&w, m->f);
#define U64(f)       tas_write_u64(&w, m->f);
#define U32S(f, n)   for (size_t i = 0; i < (n); i++) tas_write_u32(&w, m->f[i]);
#define U64S(f, n)   for (size_t i = 0; i < (n); i++) tas_write_u64(&w, m->f[i]);
#define BYTES(f, n)  tas_write_bytes(&w, m->f, n);
#define PAD(n)       tas_write_zero(&w, n);
#define TAIL(f, max) if (m->f.len > (max)) w.bad = true; tas_write_bytes(&w, m->f.ptr, m->f.len);
#define END(name) \
        return w.bad ? TAS_E_LIMIT : (int)w.len; \
    }
#include "wire/messages.def"
#include "wire/fields_undef.h"
#undef HEAD

const char *tas_record_type_name(uint8_t type) {
    switch (type) {
#define LAYOUT(NAME, name, size)
#define RECORD(id, NAME, name)      case id: return #NAME;
#define MESSAGE(id, NAME, name, ch)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
    default: return "unknown";
    }
}

const char *tas_message_type_name(uint16_t type) {
    switch (type) {
#define LAYOUT(NAME, name, size)
#define RECORD(id, NAME, name)
#define MESSAGE(id, NAME, name, ch) case id: return #NAME;
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
    default: return "unknown";
    }
}

int tas_message_channel(uint16_t type) {
    switch (type) {
#define LAYOUT(NAME, name, size)
#define RECORD(id, NAME, name)
#define MESSAGE(id, NAME, name, ch) case id: return ch;
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
    default: return -1;
    }
}
/* clang-format on */
