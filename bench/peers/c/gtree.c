/*
 * Works `translate` and `pair` with GLib's balanced tree. As in QEMU's virtio-iommu, keys are intervals, and those that overlap
 * compare as equal: an access is looked up as an interval of one byte.
 *
 * `translate count=N pattern=random|hot`: one operation is one translation of an address for a read. Timed: taking the next of
 * 65,536 prepared addresses, translating it, adding the result to the sink.
 * `pair size=4096|1073741824 offset=0|4096 count=N`: one operation is a map and the unmap of the same extent, among N resident
 * mappings. Timed: taking the next of the prepared places; a lookup, an insertion and a removal.
 */
#include <glib.h>

#include "contestant.h"
#include "random.h"

#define PAGE_SIZE UINT64_C(4096)
#define GIB (UINT64_C(1) << 30)
#define FIRST_PAGE UINT64_C(0x100000)
/* Physical addresses are another place, which continues nothing that is neighbours virtually. */
#define PHYSICAL_BASE UINT64_C(0x4000000000)
/* Large extents begin here: beyond 2^20 residents. */
#define BEYOND (16 * GIB)
#define LARGE_PLACES 16
#define ADDRESSES 65536
#define HOT 64
#define READ 1u
#define WRITE 2u

struct interval {
  uint64_t low;
  uint64_t high;
};

struct mapping {
  uint64_t phys_start;
  uint32_t flags;
};

static GTree *tree;
static size_t count;
/* What is prepared: addresses to translate, or places to map. */
static uint64_t *places;
static size_t place_count;
static size_t next_place;
static uint64_t size;

static gint compare(gconstpointer left, gconstpointer right, gpointer data)
{
  const struct interval *one = left;
  const struct interval *other = right;
  (void)data;
  if (one->high < other->low)
    return -1;
  return other->high < one->low ? 1 : 0;
}

static uint64_t resident_start(size_t index)
{
  return (FIRST_PAGE + 2 * index) * PAGE_SIZE;
}

static uint64_t free_start(size_t index)
{
  return resident_start(index) + PAGE_SIZE;
}

static uint64_t phys_of(uint64_t virt_start)
{
  return PHYSICAL_BASE + 2 * virt_start;
}

/* False when it overlaps another. */
static bool map(uint64_t virt_start, uint64_t virt_end, uint64_t phys_start, uint32_t flags)
{
  struct interval wanted = {virt_start, virt_end};
  if (g_tree_lookup(tree, &wanted) != NULL)
    return false;
  struct interval *key = g_malloc(sizeof *key);
  struct mapping *mapping = g_malloc(sizeof *mapping);
  *key = wanted;
  *mapping = (struct mapping){phys_start, flags};
  g_tree_insert(tree, key, mapping);
  return true;
}

static bool unmap(uint64_t virt_start, uint64_t virt_end)
{
  struct interval wanted = {virt_start, virt_end};
  return g_tree_remove(tree, &wanted);
}

/* False when the access is not allowed. */
static inline bool translate(uint64_t address, uint32_t access, uint64_t *physical)
{
  struct interval wanted = {address, address};
  gpointer key;
  gpointer value;
  if (!g_tree_lookup_extended(tree, &wanted, &key, &value))
    return false;
  const struct interval *extent = key;
  const struct mapping *mapping = value;
  *physical = mapping->phys_start + (address - extent->low);
  return (mapping->flags & access) == access;
}

static void map_residents(void)
{
  tree = g_tree_new_full(compare, NULL, g_free, g_free);
  for (size_t index = 0; index < count; index += 1) {
    uint64_t start = resident_start(index);
    expect(map(start, start + (PAGE_SIZE - 1), phys_of(start), READ | WRITE),
           "a resident overlaps another");
  }
}

static bool leads_to(uint64_t address, uint64_t expected)
{
  uint64_t physical;
  return translate(address, READ, &physical) && physical == expected;
}

static bool is_denied(uint64_t address, uint32_t access)
{
  uint64_t physical;
  return !translate(address, access, &physical);
}

static void set_up_translate(void)
{
  static const char *const patterns[] = {"random", "hot", NULL};
  uint32_t state = RANDOM_SEED;
  count = take_count("count");
  bool is_hot = take_choice("pattern", patterns) == patterns[1];
  size_t limit = is_hot && count > HOT ? HOT : count;
  place_count = ADDRESSES;
  places = g_new(uint64_t, place_count);
  for (size_t index = 0; index < place_count; index += 1) {
    uint64_t start = resident_start(random_below(&state, limit));
    places[index] = start + 4 * random_below(&state, 1023);
  }
  map_residents();
}

static void check_translate(void)
{
  uint64_t first = resident_start(0);
  uint64_t last = resident_start(count - 1);
  expect(leads_to(last + 8, phys_of(last) + 8) && leads_to(first + 4095, phys_of(first) + 4095),
         "a translation is wrong");
  expect(is_denied(free_start(count - 1), READ) && is_denied(first - 1, READ) && is_denied(first, 8),
         "an access that is not allowed was translated");
}

static uint64_t run_translate(uint64_t operations)
{
  uint64_t denied = 0;
  uint64_t start = now_nanoseconds();
  for (uint64_t left = operations; left > 0; left -= 1) {
    uint64_t physical = 0;
    if (!translate(places[next_place], READ, &physical))
      denied += 1;
    sink += physical;
    next_place = (next_place + 1) & (ADDRESSES - 1);
  }
  uint64_t nanoseconds = now_nanoseconds() - start;
  expect(denied == 0, "a mapped address was not translated");
  return nanoseconds;
}

static void set_up_pair(void)
{
  static const char *const sizes[] = {"4096", "1073741824", NULL};
  static const char *const offsets[] = {"0", "4096", NULL};
  count = take_count("count");
  bool is_large = take_choice("size", sizes) == sizes[1];
  uint64_t offset = take_choice("offset", offsets) == offsets[1] ? PAGE_SIZE : 0;
  size = is_large ? GIB : PAGE_SIZE;
  place_count = is_large ? LARGE_PLACES : count;
  places = g_new(uint64_t, place_count);
  uint32_t *order = g_new(uint32_t, place_count);
  shuffle(order, place_count);
  for (size_t index = 0; index < place_count; index += 1) {
    places[index] =
        is_large ? BEYOND + 2 * order[index] * GIB + offset : free_start(order[index]);
  }
  g_free(order);
  map_residents();
}

static void check_pair(void)
{
  uint64_t start = places[0];
  uint64_t end = start + (size - 1);
  expect(map(start, end, phys_of(start), READ) && leads_to(end, phys_of(start) + (size - 1)) &&
             is_denied(end, WRITE) && !map(end, end, phys_of(end), READ),
         "a map did not do what it has to");
  expect(unmap(start, end) && !unmap(start, end) && is_denied(start, READ) &&
             (size_t)g_tree_nnodes(tree) == count,
         "an unmap did not do what it has to");
}

static uint64_t run_pair(uint64_t operations)
{
  uint64_t failed = 0;
  uint64_t start = now_nanoseconds();
  for (uint64_t left = operations; left > 0; left -= 1) {
    uint64_t virt_start = places[next_place];
    uint64_t virt_end = virt_start + (size - 1);
    if (!map(virt_start, virt_end, phys_of(virt_start), READ | WRITE) || !unmap(virt_start, virt_end))
      failed += 1;
    next_place += 1;
    if (next_place == place_count)
      next_place = 0;
  }
  uint64_t nanoseconds = now_nanoseconds() - start;
  sink += operations;
  expect(failed == 0 && (size_t)g_tree_nnodes(tree) == count, "a pair failed");
  return nanoseconds;
}

const struct work works[] = {
    {"translate", set_up_translate, check_translate, run_translate},
    {"pair", set_up_pair, check_pair, run_pair},
    {0},
};
