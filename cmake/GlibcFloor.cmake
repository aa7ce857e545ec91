# Links a Linux module so that it loads with glibc 2.28: ofx_plugin/platform/glibc_floor.cpp stands in for what is newer.
set(glibc_floor_source ${CMAKE_CURRENT_LIST_DIR}/../ofx_plugin/platform/glibc_floor.cpp)
set(glibc_wrapped
  pthread_create pthread_join pthread_detach pthread_once pthread_key_create __pthread_key_create pthread_key_delete
  pthread_getspecific pthread_setspecific pthread_sigmask pthread_attr_setstacksize pthread_setname_np
  pthread_cond_clockwait pthread_mutex_clocklock pthread_mutex_timedlock pthread_rwlock_init pthread_rwlock_destroy
  pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_unlock dladdr dlopen dlclose dlerror
  dlsym pow log2 stat lstat fstat fstat64 posix_spawn_file_actions_addclosefrom_np arc4random _dl_find_object)

function(lower_glibc_floor target)
  target_sources(${target} PRIVATE ${glibc_floor_source})
  list(TRANSFORM glibc_wrapped PREPEND "-Wl,--wrap=")
  # Until 2.34 pthread_create, dlsym and shm_open lay in libraries of their own, and nowhere else. Without naming them
  # the bundle would need libc, libm and the loader alone and still load in hosts that have them open, but on glibc
  # 2.28 fail in a scanner of plugins that has no threads. They are glibc's own, on newer systems empty but there.
  target_link_options(${target} PRIVATE ${glibc_wrapped}
    -Wl,--push-state,--no-as-needed -l:libpthread.so.0 -l:libdl.so.2 -l:librt.so.1 -Wl,--pop-state)
endfunction()
