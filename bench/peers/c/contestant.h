/* The native contestants in C: `PROGRAM WORK [key=value ...]`, then a line `run OPERATIONS` for each batch. */
#ifndef CONTESTANT_H
#define CONTESTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One kind of work. */
struct work {
  const char *name;
  /* Takes its keys and sets up. */
  void (*set_up)(void);
  /* Checks its own results once, before anything is timed. */
  void (*check)(void);
  /* Does that many operations; returns the nanoseconds of what is timed. */
  uint64_t (*run)(uint64_t operations);
};

/* What the program can do, ended by an entry without a name. */
extern const struct work works[];

/* Depends on all results, so that nothing is optimised away. */
extern uint64_t sink;

/* The value that was given for a key, which has to be one of `choices`; the first of them when none was. */
const char *take_choice(const char *key, const char *const *choices);

/* The number that was given for a key, from 1 on. */
size_t take_count(const char *key);

/* Ends the program with one line and exit code 1 when a result is not what it has to be. */
void expect(bool holds, const char *what);

uint64_t now_nanoseconds(void);

#endif
