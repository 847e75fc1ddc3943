/* The device's side of a split virtqueue ("Split Virtqueues"), with VIRTIO_F_EVENT_IDX and VIRTIO_F_INDIRECT_DESC. */
#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_SIZE_MAX 256
#define VIRTQ_DESC_F_NEXT 1
#define VIRTQ_DESC_F_WRITE 2
#define VIRTQ_DESC_F_INDIRECT 4

struct virtq_desc {
  uint64_t addr;
  uint32_t len;
  uint16_t flags;
  uint16_t next;
};

struct virtq_avail {
  uint16_t flags;
  uint16_t idx;
  /* Then used_event. */
  uint16_t ring[];
};

struct virtq_used_elem {
  uint32_t id;
  uint32_t len;
};

struct virtq_used {
  uint16_t flags;
  uint16_t idx;
  struct virtq_used_elem ring[];
};

/* One region of guest memory. */
struct guest_memory {
  uint64_t base;
  uint64_t length;
  unsigned char *bytes;
};

/* The segments of one chain; the readable ones come first. */
struct chain {
  uint16_t head;
  uint32_t count;
  uint32_t readable_count;
  uint64_t readable_length;
  uint64_t writable_length;
  uint64_t addresses[QUEUE_SIZE_MAX];
  uint32_t lengths[QUEUE_SIZE_MAX];
};

struct virtqueue {
  const struct guest_memory *memory;
  uint32_t size;
  const struct virtq_desc *table;
  const struct virtq_avail *avail;
  struct virtq_used *used;
  /* Free-running, as the indices in the rings. */
  uint16_t next_avail;
  uint16_t avail_idx;
  uint16_t used_idx;
  uint16_t signalled_used_idx;
  /* The driver broke a rule: nothing is popped any more. */
  bool is_broken;
};

/* The bytes at a guest address, or NULL when they are not all in memory. */
static inline void *guest_bytes(const struct guest_memory *memory, uint64_t address, uint64_t length)
{
  uint64_t offset = address - memory->base;
  if (offset > memory->length || length > memory->length - offset)
    return NULL;
  return memory->bytes + offset;
}

/* False when a part of the ring is misaligned or not in memory. */
bool virtqueue_init(struct virtqueue *queue, const struct guest_memory *memory, uint32_t size,
                    uint64_t descriptor_area, uint64_t driver_area, uint64_t device_area);

/* False when no chain is available, or the queue is broken. */
bool virtqueue_pop(struct virtqueue *queue, struct chain *chain);

/* Gives a chain back and publishes it. */
void virtqueue_push_used(struct virtqueue *queue, uint16_t head, uint32_t length);

/* Whether the driver wants to hear of what was given back since the last time. */
bool virtqueue_should_interrupt(struct virtqueue *queue);

#endif
