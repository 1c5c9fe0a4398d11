/* Fields that expand to nothing, for inclusions of messages.def that only list the heads. No include guard.
 */
#define U8(f)
#define U16(f)
#define U32(f)
#define U64(f)
#define U32S(f, n)
#define U64S(f, n)
#define BYTES(f, n)
#define PAD(n)
#define TAIL(f, max)
#define END(name)
