/* Pseudo-random numbers that are the same on every run: xorshift32. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_SEED 0x9e3779b9u

/* A number below `limit`. */
static inline size_t random_below(uint32_t *state, size_t limit)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state % limit;
}

/* Writes the numbers below `count` in random order (Fisher and Yates). */
static inline void shuffle(uint32_t *order, size_t count)
{
  uint32_t state = RANDOM_SEED;
  for (size_t index = 0; index < count; index += 1)
    order[index] = (uint32_t)index;
  for (size_t index = count - 1; index > 0; index -= 1) {
    size_t other = random_below(&state, index + 1);
    uint32_t moved = order[index];
    order[index] = order[other];
    order[other] = moved;
  }
}

#endif
