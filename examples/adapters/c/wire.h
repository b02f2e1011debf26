/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoding of gictrace's adapter protocol (docs/adapter.md): messages that begin with their length, and the MessagePack
 * in them. Plain C99; it allocates nothing. Include it in one file.
 */
#ifndef GICTRACE_WIRE_H
#define GICTRACE_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 65536u

enum { MSG_HELLO, MSG_RESET, MSG_BATCH, MSG_SNAPSHOT, MSG_RESTORE, MSG_BYE, MSG_FAILED };

static uint8_t wire_in[MESSAGE_MAX];
static size_t in_at, in_end;
static uint8_t wire_out[MESSAGE_MAX + 4];
static size_t out_at = 4;

/* ---- writing ---------------------------------------------------------------------------------------------- */

static void put_byte(unsigned byte)
{
    if (out_at < sizeof wire_out)
        wire_out[out_at++] = (uint8_t)byte;
}

static void put_big_endian(uint64_t value, int bytes)
{
    while (bytes-- > 0)
        put_byte((unsigned)(value >> (8 * bytes)) & 0xff);
}

static void put_uint(uint32_t value)
{
    if (value <= 0x7f) {
        put_byte(value);
    } else if (value <= 0xff) {
        put_byte(0xcc);
        put_byte(value);
    } else if (value <= 0xffff) {
        put_byte(0xcd);
        put_big_endian(value, 2);
    } else {
        put_byte(0xce);
        put_big_endian(value, 4);
    }
}

static void put_bool(bool value)
{
    put_byte(value ? 0xc3 : 0xc2);
}

static void put_text(const char *text)
{
    size_t length = strlen(text);
    if (length <= 31) {
        put_byte(0xa0 | (unsigned)length);
    } else {
        put_byte(0xda);
        put_big_endian(length, 2);
    }
    for (size_t k = 0; k < length; k++)
        put_byte((unsigned char)text[k]);
}

static void put_array(unsigned count)
{
    if (count <= 15) {
        put_byte(0x90 | count);
    } else {
        put_byte(0xdc);
        put_big_endian(count, 2);
    }
}

static void put_map(unsigned pairs) /* at most 15 */
{
    put_byte(0x80 | pairs);
}

/* An array of texts. */
static void put_texts(const char *const *texts, unsigned count)
{
    put_array(count);
    for (unsigned k = 0; k < count; k++)
        put_text(texts[k]);
}

/* Sends what has been put. */
static void send_message(void)
{
    size_t length = out_at - 4;
    for (int k = 0; k < 4; k++)
        wire_out[k] = (uint8_t)(length >> (8 * k));
    if (fwrite(wire_out, 1, out_at, stdout) != out_at)
        exit(1);
    out_at = 4;
}

/* Reports why the adapter cannot continue, and exits. */
static void give_up(const char *why)
{
    out_at = 4;
    put_array(2);
    put_uint(MSG_FAILED);
    put_text(why);
    send_message();
    fflush(stdout);
    exit(1);
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

/* The next message; false at the end of the input. */
static bool next_message(void)
{
    uint8_t head[4];
    size_t got = fread(head, 1, 4, stdin);
    if (got == 0)
        return false;
    uint32_t length = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
    if (got < 4 || length > MESSAGE_MAX || fread(wire_in, 1, length, stdin) != length)
        give_up("a message is cut off, or too long");
    in_at = 0;
    in_end = length;
    return true;
}

static uint64_t get_big_endian(int bytes)
{
    uint64_t value = 0;
    if (in_end - in_at < (size_t)bytes)
        give_up("a value is cut off");
    while (bytes-- > 0)
        value = value << 8 | wire_in[in_at++];
    return value;
}

/* An unsigned integer of up to 64 bits. */
static uint64_t get_wide(void)
{
    unsigned code = (unsigned)get_big_endian(1);
    if (code <= 0x7f)
        return code;
    if (code >= 0xcc && code <= 0xcf)
        return get_big_endian(1 << (code - 0xcc));
    give_up("no unsigned integer where one should be");
    return 0;
}

static uint32_t get_uint(void)
{
    return (uint32_t)get_wide();
}

/* Length of an array (fix = 0x90, wide = 0xdc) or of a map (0x80, 0xde). */
static uint32_t get_count(unsigned fix, unsigned wide)
{
    unsigned code = (unsigned)get_big_endian(1);
    if ((code & 0xf0) == fix)
        return code & 0x0f;
    if (code == wide)
        return (uint32_t)get_big_endian(2);
    if (code == wide + 1)
        return (uint32_t)get_big_endian(4);
    give_up("no array or map where one should be");
    return 0;
}

static uint32_t get_array(void)
{
    return get_count(0x90, 0xdc);
}

static uint32_t get_map(void)
{
    return get_count(0x80, 0xde);
}

/* Text, truncated to the size of the buffer. */
static void get_text(char *into, size_t size)
{
    unsigned code = (unsigned)get_big_endian(1);
    size_t length = 0;
    if ((code & 0xe0) == 0xa0)
        length = code & 0x1f;
    else if (code == 0xd9)
        length = (size_t)get_big_endian(1);
    else if (code == 0xda)
        length = (size_t)get_big_endian(2);
    else
        give_up("no text where one should be");
    if (in_end - in_at < length)
        give_up("text is cut off");
    size_t kept = length < size ? length : size - 1;
    memcpy(into, wire_in + in_at, kept);
    into[kept] = '\0';
    in_at += length;
}

/* Passes over a value of any kind. */
static void skip_value(void)
{
    if (in_at >= in_end)
        give_up("a value is cut off");
    unsigned code = wire_in[in_at];
    char text[1];
    if ((code & 0xf0) == 0x80 || code == 0xde || code == 0xdf) {
        for (uint32_t left = get_map(); left > 0; left--) {
            skip_value();
            skip_value();
        }
    } else if ((code & 0xf0) == 0x90 || code == 0xdc || code == 0xdd) {
        for (uint32_t left = get_array(); left > 0; left--)
            skip_value();
    } else if ((code & 0xe0) == 0xa0 || code == 0xd9 || code == 0xda) {
        get_text(text, sizeof text);
    } else if (code == 0xc2 || code == 0xc3) {
        in_at++;
    } else {
        get_wide();
    }
}

#endif
