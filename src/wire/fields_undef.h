/* Clears every macro that messages.def uses, so that the next inclusion starts clean. No include guard. */
#undef LAYOUT
#undef RECORD
#undef MESSAGE
#undef U8
#undef U16
#undef U32
#undef U64
#undef U32S
#undef U64S
#undef BYTES
#undef PAD
#undef TAIL
#undef END
