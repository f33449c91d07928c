#include "server/journal/sync_thread.h"

#include <map>

namespace livnd::server {

SyncThread::SyncThread() : thread_([this] { Run(); }) {}

SyncThread::~SyncThread() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    wake_.Signal();
  }
  thread_.join();
}

void SyncThread::Sync(FileHandle file, Done done) {
  MutexLock lock(mu_);
  waiting_.emplace_back(std::move(file), std::move(done));
  wake_.Signal();
}

void SyncThread::Run() {
  while (true) {
    std::vector<std::pair<FileHandle, Done>> batch;
    {
      MutexLock lock(mu_);
      while (waiting_.empty() && !stopping_) wake_.Wait(mu_);
      if (waiting_.empty()) return;
      batch.swap(waiting_);
    }
    std::map<FileHandle, absl::Status> synced;
    for (const auto& [file, done] : batch) {
      if (synced.count(file) == 0) synced[file] = SyncFile(file);
    }
    for (auto& [file, done] : batch) std::move(done)(synced.at(file));
  }
}

}  // namespace livnd::server
