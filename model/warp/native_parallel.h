// Work that is shared among threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace warp {

// Runs worker(0..tasks-1), one worker a thread; which thread takes which task changes no result.
template <typename MakeWorker>
void inParallel(int tasks, int threads, const MakeWorker& makeWorker) {
  std::atomic<int> next{0};
  const auto work = [&] {
    auto worker = makeWorker();
    for (int task = next++; task < tasks; task = next++) worker(task);
  };
  std::vector<std::thread> pool;
  for (int n = 1; n < std::min(threads, tasks); ++n) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
}

}  // namespace warp
