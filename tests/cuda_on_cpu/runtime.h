// Runs the threads of a CUDA launch on one CPU thread: blocks one after the other, a fiber per thread that waits.
//
// A fiber runs thread after thread until one of them has to wait (at a barrier or a warp intrinsic); then the next
// fiber goes on with the threads not yet begun. A kernel without barriers is therefore a plain loop on one fiber.
#pragma once
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <utility>

struct uint3 {
  unsigned int x, y, z;
};
struct dim3 {
  unsigned int x, y, z;
  constexpr dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : x(x), y(y), z(z) {}
};
// Plain globals: launches are serialised by the caller, and thread-local storage would cost a call per access.
static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static constexpr int warpSize = 32;

// Static __shared__ variables lie together in one section, so that each block can start with poisoned memory.
extern "C" {
extern unsigned char __start_cvseg_shared[] __attribute__((weak, visibility("hidden")));
extern unsigned char __stop_cvseg_shared[] __attribute__((weak, visibility("hidden")));
}

namespace emulator {

constexpr int MAX_THREADS = 1024;
constexpr size_t STACK_BYTES = 128 * 1024;
constexpr size_t MAX_DYNAMIC_SHARED = 48 * 1024;
constexpr size_t GUARD_BYTES = 1024;
constexpr int SHARED_POISON = 0x7F;  // float 3.4e38, int 2139062143: never a plausible value
constexpr int GUARD_VALUE = 0xA5;

enum State : uint8_t { NOT_BEGUN, READY, RUNNING, AT_BARRIER, AT_WARP, EXITED };
enum Meeting : uint8_t { SHUFFLE, BALLOT, ANY, ALL, SYNC_WARP, MATCH, BARRIER, BARRIER_COUNT, BARRIER_AND, BARRIER_OR };
static const char* const MEETING_NAMES[] = {"__shfl_sync", "__ballot_sync", "__any_sync", "__all_sync", "__syncwarp",
    "__match_any_sync", "__syncthreads", "__syncthreads_count", "__syncthreads_and", "__syncthreads_or"};

struct Thread {
  State state;
  Meeting meeting;
  int fiber, line, source;
  uint32_t mask;
  uint64_t value, result;
};
struct Fiber {
  jmp_buf context;
  bool begun;
};

static Thread threads[MAX_THREADS];
static int waiting_lanes[MAX_THREADS / 32];
static Fiber fibers[MAX_THREADS];
static unsigned char* stacks;
static int idle_fibers[MAX_THREADS], idle_count;
static int total, next_thread, exited, waiting_at_barrier, current, current_fiber, first_line;
static bool reversed;
static jmp_buf scheduler;
static sigjmp_buf launch_end;
static char message[1024];
static const char* kernel_name;
static void** arguments;
static void (*run_new_threads)();
alignas(256) static unsigned char dynamic_shared[MAX_DYNAMIC_SHARED + GUARD_BYTES];

__attribute__((noreturn, noinline, format(printf, 1, 2))) static void fail(const char* format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  siglongjmp(launch_end, 1);
}

// _setjmp and _longjmp change stacks without the system call that swapcontext makes. OPAQUE: the compiler must believe
// that any variable may change meanwhile, because other threads run.
#if defined(__clang__)
#define OPAQUE __attribute__((noinline, optnone))
#else
#define OPAQUE __attribute__((noipa))
#endif
OPAQUE static void jump(jmp_buf& from, jmp_buf& to) {
  if (_setjmp(from) == 0) _longjmp(to, 1);
}

static inline int in_order(int i) { return reversed ? total - 1 - i : i; }

static inline void become(int thread) {
  current = thread;
  threadIdx.x = thread % blockDim.x;
  threadIdx.y = thread / blockDim.x % blockDim.y;
  threadIdx.z = thread / (blockDim.x * blockDim.y);
}

static void wait_here() {
  const int fiber = threads[current].fiber;
  jump(fibers[fiber].context, scheduler);
}

// ---- barriers of a block ----

static void release_barrier() {
  uint64_t sum = 0;
  for (int t = 0; t < total; ++t)
    if (threads[t].state == AT_BARRIER) sum += threads[t].value != 0;
  for (int t = 0; t < total; ++t) {
    Thread& thread = threads[t];
    if (thread.state != AT_BARRIER) continue;
    thread.state = READY;
    thread.result = thread.meeting == BARRIER_COUNT ? sum
                    : thread.meeting == BARRIER_AND ? sum == (uint64_t)waiting_at_barrier
                                                    : sum != 0;
  }
  waiting_at_barrier = 0;
}

OPAQUE static int meet_block(Meeting meeting, int predicate, int line) {
  const int me = current;
  Thread& mine = threads[me];
  if (waiting_at_barrier && first_line != line)
    fail("%s: threads of block (%u, %u, %u) wait at different barriers, lines %d and %d; every thread that has not "
         "returned must reach the same one",
         kernel_name, blockIdx.x, blockIdx.y, blockIdx.z, first_line, line);
  first_line = line;
  mine.meeting = meeting;
  mine.value = predicate != 0;
  mine.line = line;
  mine.state = AT_BARRIER;
  ++waiting_at_barrier;
  if (waiting_at_barrier + exited == total)
    release_barrier();
  else
    wait_here();
  mine.state = RUNNING;
  return (int)mine.result;
}

// ---- meetings of a warp ----

// A lane that has returned, or that the block does not have, is not waited for.
static bool warp_complete(int base, uint32_t mask) {
  for (int i = 0; i < 32; ++i) {
    const int lane = reversed ? i : 31 - i;  // the lane that arrives last is asked first
    const int t = base + lane;
    if (!(mask >> lane & 1) || t >= total || threads[t].state == EXITED) continue;
    if (threads[t].state != AT_WARP || threads[t].mask != mask) return false;
  }
  return true;
}

static void release_warp(int base, uint32_t mask) {
  uint32_t present = 0, votes = 0;
  int first = -1;
  for (int lane = 0; lane < 32; ++lane) {
    if (!(mask >> lane & 1) || base + lane >= total || threads[base + lane].state != AT_WARP) continue;
    const Thread& thread = threads[base + lane];
    if (first < 0) first = lane;
    if (thread.meeting != threads[base + first].meeting)
      fail("%s: lanes of one warp meet at %s (line %d) and at %s (line %d)", kernel_name,
           MEETING_NAMES[threads[base + first].meeting], threads[base + first].line, MEETING_NAMES[thread.meeting],
           thread.line);
    present |= 1u << lane;
    votes |= (uint32_t)(thread.value != 0) << lane;
  }
  for (int lane = 0; lane < 32; ++lane) {
    if (!(present >> lane & 1)) continue;
    Thread& thread = threads[base + lane];
    switch (thread.meeting) {
      case SHUFFLE:  // a lane that is not there gives rubbish, as on the card
        thread.result = present >> thread.source & 1 ? threads[base + thread.source].value : 0x7FE5A5A57FE5A5A5ull;
        break;
      case BALLOT: thread.result = votes; break;
      case ANY: thread.result = votes != 0; break;
      case ALL: thread.result = votes == present; break;
      case MATCH:
        thread.result = 0;
        for (int other = 0; other < 32; ++other)
          if (present >> other & 1 && threads[base + other].value == thread.value) thread.result |= 1ull << other;
        break;
      default: break;
    }
  }
  for (int lane = 0; lane < 32; ++lane)
    if (present >> lane & 1) threads[base + lane].state = READY, --waiting_lanes[base / 32];
}

OPAQUE static uint64_t meet_warp(Meeting meeting, uint32_t mask, uint64_t value, int source, int line) {
  const int me = current, lane = me % 32, base = me - lane;
  Thread& mine = threads[me];
  if (!(mask >> lane & 1))
    fail("%s, line %d: lane %d calls %s with mask 0x%08x, which does not name it", kernel_name, line, lane,
         MEETING_NAMES[meeting], mask);
  mine.meeting = meeting;
  mine.mask = mask;
  mine.value = value;
  mine.source = source;
  mine.line = line;
  mine.state = AT_WARP;
  ++waiting_lanes[base / 32];
  if (warp_complete(base, mask))
    release_warp(base, mask);
  else
    wait_here();
  mine.state = RUNNING;
  return mine.result;
}

// ---- threads, fibers, blocks ----

static void after_exit() {
  const int base = current / 32 * 32;
  if (waiting_at_barrier && waiting_at_barrier + exited == total) release_barrier();
  for (int t = base; t < base + 32 && t < total && waiting_lanes[base / 32]; ++t)
    if (threads[t].state == AT_WARP && warp_complete(base, threads[t].mask)) release_warp(base, threads[t].mask);
}

template <auto Function, class... P, size_t... I>
static inline void call(void (*)(P...), std::index_sequence<I...>) {
  Function(*(std::remove_cv_t<P>*)arguments[I]...);
}

template <auto Function, class... P>
static inline void call_function(void (*function)(P...)) {
  call<Function>(function, std::index_sequence_for<P...>());
}

template <auto Function>
static void run_threads() {
  const int fiber = current_fiber;
  while (next_thread < total) {
    const int thread = in_order(next_thread++);
    threads[thread].fiber = fiber;
    threads[thread].state = RUNNING;
    become(thread);
    call_function<Function>(Function);
    threads[current].state = EXITED;
    ++exited;
    if (waiting_at_barrier | waiting_lanes[current / 32]) after_exit();
  }
}

static void fiber_body() {
  const int fiber = current_fiber;
  for (;;) {
    current_fiber = fiber;
    run_new_threads();
    idle_fibers[idle_count++] = fiber;
    jump(fibers[fiber].context, scheduler);
  }
}

static void reset_fibers() {
  idle_count = 0;
  for (int i = MAX_THREADS - 1; i >= 0; --i) {
    fibers[i].begun = false;
    idle_fibers[idle_count++] = i;
  }
}

// Memory for the stacks of all threads of a block; once per process, because an unreadable page between stacks costs the
// system a map entry. Stacks grow down: a kernel that overflows its own meets that page, not its neighbour's variables.
static void* make_stacks() {
  void* memory = mmap(nullptr, MAX_THREADS * STACK_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  for (int i = 0; i < MAX_THREADS; ++i)
    mprotect((unsigned char*)memory + i * STACK_BYTES, sysconf(_SC_PAGESIZE), PROT_NONE);
  return memory;
}

static void enter_fiber(int fiber) {
  current_fiber = fiber;
  Fiber& f = fibers[fiber];
  if (f.begun) {
    jump(scheduler, f.context);
    return;
  }
  f.begun = true;
  static ucontext_t start;
  getcontext(&start);
  start.uc_stack.ss_sp = stacks + fiber * STACK_BYTES;
  // Stacks that all begin at the same place of a page would fight for one set of the cache.
  start.uc_stack.ss_size = STACK_BYTES - fiber * 512 % (STACK_BYTES / 2);
  start.uc_link = nullptr;
  makecontext(&start, fiber_body, 0);
  if (_setjmp(scheduler) == 0) setcontext(&start);
}

__attribute__((noreturn)) static void report_deadlock() {
  int at_warp = 0, line = 0;
  const char* where = "";
  for (int t = 0; t < total; ++t)
    if (threads[t].state == AT_WARP) ++at_warp, line = threads[t].line, where = MEETING_NAMES[threads[t].meeting];
  if (!at_warp)
    fail("%s: deadlock in block (%u, %u, %u)", kernel_name, blockIdx.x, blockIdx.y, blockIdx.z);
  fail("%s: deadlock in block (%u, %u, %u): %d threads wait at a block barrier, %d have returned and %d wait for other "
       "lanes at %s, line %d",
       kernel_name, blockIdx.x, blockIdx.y, blockIdx.z, waiting_at_barrier, exited, at_warp, where, line);
}

static void run_block(size_t shared_bytes) {
  next_thread = exited = waiting_at_barrier = 0;
  for (int t = 0; t < total; ++t) threads[t].state = NOT_BEGUN;
  memset(waiting_lanes, 0, sizeof waiting_lanes);
  if (__start_cvseg_shared)
    memset(__start_cvseg_shared, SHARED_POISON, __stop_cvseg_shared - __start_cvseg_shared);
  memset(dynamic_shared, SHARED_POISON, shared_bytes);
  memset(dynamic_shared + shared_bytes, GUARD_VALUE, GUARD_BYTES);
  while (next_thread < total) enter_fiber(idle_fibers[--idle_count]);
  while (exited < total) {
    bool ran = false;
    for (int i = 0; i < total; ++i) {
      const int thread = in_order(i);
      if (threads[thread].state != READY) continue;
      ran = true;
      become(thread);
      enter_fiber(threads[thread].fiber);
    }
    if (!ran) report_deadlock();
  }
  for (size_t i = 0; i < GUARD_BYTES; ++i)
    if (dynamic_shared[shared_bytes + i] != GUARD_VALUE)
      fail("%s: block (%u, %u, %u) writes %zu bytes behind the %zu bytes of dynamic shared memory of this launch",
           kernel_name, blockIdx.x, blockIdx.y, blockIdx.z, i, shared_bytes);
}

// ---- signals: a wild pointer or an endless loop ends the launch, not the test run ----

static pthread_t launching_thread;
static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGVTALRM};
static struct sigaction old_actions[4];

static void on_signal(int number, siginfo_t*, void*) {
  if (!pthread_equal(pthread_self(), launching_thread)) {  // somebody else's crash: let it happen as it would have
    for (int i = 0; i < 4; ++i)
      if (SIGNALS[i] == number) sigaction(number, &old_actions[i], nullptr);
    return;
  }
  const char* what = number == SIGFPE      ? "divides an integer by zero"
                     : number == SIGVTALRM ? "does not end (endless loop?)"
                                           : "touches memory outside every array, or overflows its stack";
  fail("%s: thread (%u, %u, %u) of block (%u, %u, %u) %s", kernel_name, threadIdx.x, threadIdx.y, threadIdx.z,
       blockIdx.x, blockIdx.y, blockIdx.z, what);
}

template <auto Function>
static const char* launch(const char* name, void** values, const unsigned int* shape, unsigned int shared_bytes,
                          int reverse, unsigned int seconds, void* stack_memory, int stacks_are_mine) {
  kernel_name = name;
  arguments = values;
  reversed = reverse != 0;
  gridDim = dim3(shape[0], shape[1], shape[2]);
  blockDim = dim3(shape[3], shape[4], shape[5]);
  total = (int)(blockDim.x * blockDim.y * blockDim.z);
  run_new_threads = run_threads<Function>;
  launching_thread = pthread_self();
  stacks = (unsigned char*)stack_memory;
  if (!stacks_are_mine) reset_fibers();  // another library has used them since

  static unsigned char signal_stack[64 * 1024];
  stack_t new_stack = {}, old_stack;
  new_stack.ss_sp = signal_stack;
  new_stack.ss_size = sizeof signal_stack;
  sigaltstack(&new_stack, &old_stack);
  struct sigaction action = {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (int i = 0; i < 4; ++i) sigaction(SIGNALS[i], &action, &old_actions[i]);
  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGVTALRM;
#ifdef sigev_notify_thread_id
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
#else
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
#endif
  static timer_t timer;
  const bool timed = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
  struct itimerspec limit = {};
  limit.it_value.tv_sec = seconds;
  if (timed) timer_settime(timer, 0, &limit, nullptr);

  message[0] = 0;
  if (sigsetjmp(launch_end, 1) == 0) {
    const unsigned int blocks = gridDim.x * gridDim.y * gridDim.z;
    for (unsigned int i = 0; i < blocks; ++i) {
      const unsigned int block = reversed ? blocks - 1 - i : i;
      blockIdx.x = block % gridDim.x;
      blockIdx.y = block / gridDim.x % gridDim.y;
      blockIdx.z = block / (gridDim.x * gridDim.y);
      run_block(shared_bytes);
    }
  } else {
    reset_fibers();  // threads were left in the middle
  }

  if (timed) timer_delete(timer);
  for (int i = 0; i < 4; ++i) sigaction(SIGNALS[i], &old_actions[i], nullptr);
  sigaltstack(&old_stack, nullptr);
  return message[0] ? message : nullptr;
}

// Bytes of each parameter, negative for a pointer; returns how many there are.
template <class... P>
static int describe(void (*)(P...), int* bytes) {
  const int all[] = {(std::is_pointer_v<P> ? -(int)sizeof(P) : (int)sizeof(P))..., 0};
  for (size_t i = 0; i < sizeof...(P); ++i) bytes[i] = all[i];
  return (int)sizeof...(P);
}

}  // namespace emulator

// What the library offers to raw_module.py.
extern "C" void* cvseg_make_stacks() { return emulator::make_stacks(); }
#define CVSEG_EXPORT(name)                                                                                         \
  extern "C" int cvseg_describe_##name(int* bytes) { return emulator::describe(&name, bytes); }                    \
  extern "C" const char* cvseg_launch_##name(void** values, const unsigned int* shape, unsigned int shared_bytes,  \
                                             int reverse, unsigned int seconds, void* stacks, int stacks_are_mine) { \
    return emulator::launch<&name>(#name, values, shape, shared_bytes, reverse, seconds, stacks, stacks_are_mine);  \
  }
