/* A split virtqueue in plain C, with the checks that viommu's own makes. */
#include "virtqueue.h"

/* "a driver MUST NOT create a descriptor chain longer than 2^32 bytes in total" */
#define LARGEST_CHAIN (UINT64_C(1) << 32)

/* Reads a descriptor once: the driver could change it meanwhile. */
static inline struct virtq_desc read_descriptor(const struct virtq_desc *descriptor)
{
  const uint64_t *words = (const uint64_t *)descriptor;
  uint64_t address = __atomic_load_n(words, __ATOMIC_RELAXED);
  uint64_t rest = __atomic_load_n(words + 1, __ATOMIC_RELAXED);
  return (struct virtq_desc){address, (uint32_t)rest, (uint16_t)(rest >> 32), (uint16_t)(rest >> 48)};
}

static inline bool fail(struct virtqueue *queue)
{
  queue->is_broken = true;
  return false;
}

bool virtqueue_init(struct virtqueue *queue, const struct guest_memory *memory, uint32_t size,
                    uint64_t descriptor_area, uint64_t driver_area, uint64_t device_area)
{
  if (size == 0 || size > QUEUE_SIZE_MAX || (size & (size - 1)) != 0)
    return false;
  if (descriptor_area % 16 != 0 || driver_area % 2 != 0 || device_area % 4 != 0)
    return false;
  *queue = (struct virtqueue){
      .memory = memory,
      .size = size,
      .table = guest_bytes(memory, descriptor_area, 16 * (uint64_t)size),
      .avail = guest_bytes(memory, driver_area, 6 + 2 * (uint64_t)size),
      .used = guest_bytes(memory, device_area, 6 + 8 * (uint64_t)size),
  };
  return queue->table != NULL && queue->avail != NULL && queue->used != NULL;
}

static inline bool has_available(struct virtqueue *queue)
{
  if (queue->next_avail != queue->avail_idx)
    return true;
  uint16_t avail_idx = __atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE);
  if ((uint16_t)(avail_idx - queue->next_avail) > queue->size)
    return fail(queue);
  queue->avail_idx = avail_idx;
  return avail_idx != queue->next_avail;
}

static inline bool append(const struct virtqueue *queue, struct chain *chain, struct virtq_desc descriptor)
{
  uint32_t count = chain->count;
  if (count >= queue->size)
    return false;
  chain->addresses[count] = descriptor.addr;
  chain->lengths[count] = descriptor.len;
  chain->count = count + 1;
  if ((descriptor.flags & VIRTQ_DESC_F_WRITE) != 0) {
    chain->writable_length += descriptor.len;
  } else {
    /* "The driver MUST place any device-writable descriptor elements after any device-readable descriptor elements." */
    if (chain->readable_count != count)
      return false;
    chain->readable_count = count + 1;
    chain->readable_length += descriptor.len;
  }
  return chain->readable_length + chain->writable_length <= LARGEST_CHAIN;
}

static bool walk_indirect(const struct virtqueue *queue, struct chain *chain, struct virtq_desc head)
{
  /* "A driver MUST NOT set both VIRTQ_DESC_F_INDIRECT and VIRTQ_DESC_F_NEXT in flags." */
  if ((head.flags & VIRTQ_DESC_F_NEXT) != 0)
    return false;
  uint32_t entries = head.len / sizeof(struct virtq_desc);
  if (head.len % sizeof(struct virtq_desc) != 0 || entries == 0 || entries > queue->size)
    return false;
  const struct virtq_desc *table = guest_bytes(queue->memory, head.addr, head.len);
  if (table == NULL)
    return false;
  uint32_t index = 0;
  for (uint32_t visited = 0; visited < entries; visited += 1) {
    if (index >= entries)
      return false;
    struct virtq_desc descriptor = read_descriptor(&table[index]);
    /* "A driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor" */
    if ((descriptor.flags & VIRTQ_DESC_F_INDIRECT) != 0 || !append(queue, chain, descriptor))
      return false;
    if ((descriptor.flags & VIRTQ_DESC_F_NEXT) == 0)
      return true;
    index = descriptor.next;
  }
  return false;
}

static bool walk(const struct virtqueue *queue, struct chain *chain)
{
  uint32_t index = chain->head;
  /* A chain that is longer than the table is a loop. */
  for (uint32_t visited = 0; visited < queue->size; visited += 1) {
    if (index >= queue->size)
      return false;
    struct virtq_desc descriptor = read_descriptor(&queue->table[index]);
    if ((descriptor.flags & VIRTQ_DESC_F_INDIRECT) != 0)
      return walk_indirect(queue, chain, descriptor);
    if (!append(queue, chain, descriptor))
      return false;
    if ((descriptor.flags & VIRTQ_DESC_F_NEXT) == 0)
      return true;
    index = descriptor.next;
  }
  return false;
}

bool virtqueue_pop(struct virtqueue *queue, struct chain *chain)
{
  if (queue->is_broken || !has_available(queue))
    return false;
  const uint16_t *slot = &queue->avail->ring[queue->next_avail & (queue->size - 1)];
  chain->head = __atomic_load_n(slot, __ATOMIC_RELAXED);
  chain->count = 0;
  chain->readable_count = 0;
  chain->readable_length = 0;
  chain->writable_length = 0;
  if (!walk(queue, chain))
    return fail(queue);
  queue->next_avail += 1;
  return true;
}

void virtqueue_push_used(struct virtqueue *queue, uint16_t head, uint32_t length)
{
  struct virtq_used *used = queue->used;
  used->ring[queue->used_idx & (queue->size - 1)] = (struct virtq_used_elem){head, length};
  queue->used_idx += 1;
  /* "The device MUST set len prior to updating the used idx." */
  __atomic_store_n(&used->idx, queue->used_idx, __ATOMIC_RELEASE);
}

bool virtqueue_should_interrupt(struct virtqueue *queue)
{
  uint16_t old = queue->signalled_used_idx;
  uint16_t now = queue->used_idx;
  queue->signalled_used_idx = now;
  if (old == now)
    return false;
  /* The used index is stored before the driver's wish is loaded, so that not both sides go to sleep. */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  uint16_t used_event = __atomic_load_n(&queue->avail->ring[queue->size], __ATOMIC_RELAXED);
  return (uint16_t)(now - used_event - 1) < (uint16_t)(now - old);
}
