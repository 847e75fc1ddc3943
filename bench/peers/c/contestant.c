/* The protocol of contestants: arguments, `ready`, batches. */
#include "contestant.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t sink;

static char **words;
static int word_count;

static void refuse(const char *what, const char *word)
{
  fprintf(stderr, "%s \"%s\"\n", what, word);
  exit(2);
}

/* The value of a key, which is then forgotten. */
static char *take(const char *key)
{
  size_t length = strlen(key);
  for (int index = 0; index < word_count; index += 1) {
    char *word = words[index];
    if (word != NULL && strncmp(word, key, length) == 0 && word[length] == '=') {
      words[index] = NULL;
      return word + length + 1;
    }
  }
  return NULL;
}

const char *take_choice(const char *key, const char *const *choices)
{
  const char *value = take(key);
  if (value == NULL)
    return choices[0];
  for (; *choices != NULL; choices += 1)
    if (strcmp(*choices, value) == 0)
      return *choices;
  refuse(key, value);
  return NULL;
}

/* The number in a text that holds nothing else, or 0. */
static uint64_t parse_number(const char *text)
{
  char *end;
  if (!isdigit((unsigned char)*text))
    return 0;
  errno = 0;
  uint64_t number = strtoull(text, &end, 10);
  return *end == '\0' && errno == 0 ? number : 0;
}

size_t take_count(const char *key)
{
  const char *value = take(key);
  uint64_t count = value == NULL ? 0 : parse_number(value);
  if (count == 0)
    refuse("give a number from 1 on for", key);
  return count;
}

void expect(bool holds, const char *what)
{
  if (holds)
    return;
  fprintf(stderr, "%s\n", what);
  exit(1);
}

uint64_t now_nanoseconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const struct work *find_work(const char *name)
{
  for (const struct work *work = works; work->name != NULL; work += 1)
    if (strcmp(work->name, name) == 0)
      return work;
  refuse("unknown work", name);
  return NULL;
}

int main(int argument_count, char **arguments)
{
  static const char *const no_or_yes[] = {"no", "yes", NULL};
  char line[64];
  const struct work *work = find_work(argument_count > 1 ? arguments[1] : "");
  if (argument_count > 2) {
    words = arguments + 2;
    word_count = argument_count - 2;
  }
  bool shows_sink = take_choice("sink", no_or_yes) == no_or_yes[1];
  work->set_up();
  for (int index = 0; index < word_count; index += 1)
    if (words[index] != NULL)
      refuse("unknown key", words[index]);
  work->check();
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    uint64_t operations = strncmp(line, "run ", 4) == 0 ? parse_number(line + 4) : 0;
    if (operations == 0)
      refuse("write run OPERATIONS, not", line);
    printf("%llu\n", (unsigned long long)work->run(operations));
    fflush(stdout);
  }
  if (shows_sink)
    fprintf(stderr, "%llu\n", (unsigned long long)sink);
  return 0;
}
