/*
 * Work `ring layout=direct|indirect`: one operation is one chain of 16 readable and 4 writable bytes. Timed: the driver refills
 * 128 chains; the device pops each, reads its bytes, writes its tail, pushes it used, which publishes it, and decides about an
 * interrupt. `barriers` changes nothing: they are always there.
 */
#include <stdlib.h>
#include <string.h>

#include "contestant.h"
#include "virtqueue.h"

#define QUEUE_SIZE 256
/* Chains of two descriptors that fit the queue. */
#define CHAINS (QUEUE_SIZE / 2)
#define READABLE_LENGTH 16
#define WRITABLE_LENGTH 4
#define TAIL 0x5a000001u

#define MEMORY_LENGTH (1u << 20)
#define DESCRIPTOR_AREA 0x1000u
#define DRIVER_AREA 0x3000u
#define DEVICE_AREA 0x4000u
#define INDIRECT_TABLES 0x6000u
/* One every 64 bytes: a line of the cache each. */
#define READABLE_BUFFERS 0x10000u
#define WRITABLE_BUFFERS 0x20000u
#define BUFFER_STRIDE 64u

static struct guest_memory memory;
static struct virtqueue queue;
static struct chain chain;
static uint16_t driver_avail_idx;
static uint16_t head_stride;
static uint64_t interrupts;

static uint64_t readable_buffer(uint32_t index)
{
  return READABLE_BUFFERS + index * BUFFER_STRIDE;
}

static uint64_t writable_buffer(uint32_t index)
{
  return WRITABLE_BUFFERS + index * BUFFER_STRIDE;
}

static void write_pair(uint64_t table, uint16_t first, uint32_t index)
{
  struct virtq_desc pair[] = {
      {readable_buffer(index), READABLE_LENGTH, VIRTQ_DESC_F_NEXT, (uint16_t)(first + 1)},
      {writable_buffer(index), WRITABLE_LENGTH, VIRTQ_DESC_F_WRITE, 0},
  };
  memcpy(memory.bytes + table + 16u * first, pair, sizeof pair);
}

static void set_up(void)
{
  static const char *const layouts[] = {"direct", "indirect", NULL};
  static const char *const yes_or_no[] = {"yes", "no", NULL};
  bool is_indirect = take_choice("layout", layouts) == layouts[1];
  take_choice("barriers", yes_or_no);
  memory = (struct guest_memory){0, MEMORY_LENGTH, aligned_alloc(4096, MEMORY_LENGTH)};
  expect(memory.bytes != NULL, "no memory");
  memset(memory.bytes, 0, MEMORY_LENGTH);
  head_stride = is_indirect ? 1 : 2;
  for (uint32_t index = 0; index < CHAINS; index += 1) {
    uint32_t words[] = {index + 1, 2, 4, 8};
    memcpy(memory.bytes + readable_buffer(index), words, sizeof words);
    if (is_indirect) {
      uint64_t table = INDIRECT_TABLES + 32u * index;
      struct virtq_desc head = {table, 32, VIRTQ_DESC_F_INDIRECT, 0};
      memcpy(memory.bytes + DESCRIPTOR_AREA + 16u * index, &head, sizeof head);
      write_pair(table, 0, index);
    } else {
      write_pair(DESCRIPTOR_AREA, (uint16_t)(2 * index), index);
    }
  }
  expect(virtqueue_init(&queue, &memory, QUEUE_SIZE, DESCRIPTOR_AREA, DRIVER_AREA, DEVICE_AREA),
         "the queue is not in memory");
}

/* The driver's side: descriptors never change, and nothing that is used is looked at. */
static void refill(uint64_t count)
{
  struct virtq_avail *avail = (struct virtq_avail *)(memory.bytes + DRIVER_AREA);
  for (uint64_t index = 0; index < count; index += 1) {
    avail->ring[driver_avail_idx & (QUEUE_SIZE - 1)] = (uint16_t)(index * head_stride);
    driver_avail_idx += 1;
  }
  /* used_event: the driver wants to hear of the last one. */
  avail->ring[QUEUE_SIZE] = (uint16_t)(driver_avail_idx - 1);
  __atomic_store_n(&avail->idx, driver_avail_idx, __ATOMIC_RELEASE);
}

static uint64_t serve(void)
{
  uint64_t served = 0;
  while (virtqueue_pop(&queue, &chain)) {
    if (chain.count != 2 || chain.readable_count != 1 || chain.readable_length < READABLE_LENGTH ||
        chain.writable_length < WRITABLE_LENGTH)
      return served;
    uint32_t words[4];
    uint32_t tail = TAIL;
    const void *request = guest_bytes(&memory, chain.addresses[0], sizeof words);
    void *reply = guest_bytes(&memory, chain.addresses[1], sizeof tail);
    if (request == NULL || reply == NULL)
      return served;
    memcpy(words, request, sizeof words);
    sink ^= words[0] ^ words[1] ^ words[2] ^ words[3];
    memcpy(reply, &tail, sizeof tail);
    virtqueue_push_used(&queue, chain.head, WRITABLE_LENGTH);
    if (virtqueue_should_interrupt(&queue))
      interrupts += 1;
    served += 1;
  }
  return served;
}

static uint64_t run(uint64_t operations)
{
  uint64_t served = 0;
  uint64_t refills = 0;
  interrupts = 0;
  uint64_t start = now_nanoseconds();
  for (uint64_t left = operations; left > 0;) {
    uint64_t count = left < CHAINS ? left : CHAINS;
    refill(count);
    served += serve();
    left -= count;
    refills += 1;
  }
  uint64_t nanoseconds = now_nanoseconds() - start;
  expect(served == operations && interrupts == refills,
         "a chain was not served, or its interrupt not decided rightly");
  return nanoseconds;
}

static void check(void)
{
  const struct virtq_used *used = (const struct virtq_used *)(memory.bytes + DEVICE_AREA);
  run(CHAINS - 1);
  expect(used->idx == CHAINS - 1, "the used index is wrong");
  struct virtq_used_elem last = used->ring[CHAINS - 2];
  expect(last.id == (CHAINS - 2u) * head_stride && last.len == WRITABLE_LENGTH,
         "the used element is wrong");
  /* 1 to 127 cancel out, and so do 126 of the 127 times 2, 4 and 8. */
  expect(sink == (2 ^ 4 ^ 8), "the readable bytes were not read");
  uint32_t written = 0;
  for (uint32_t index = 0; index < CHAINS; index += 1) {
    uint32_t tail;
    memcpy(&tail, memory.bytes + writable_buffer(index), sizeof tail);
    written += tail == TAIL;
  }
  expect(written == CHAINS - 1, "a tail was not written");
}

const struct work works[] = {{"ring", set_up, check, run}, {0}};
