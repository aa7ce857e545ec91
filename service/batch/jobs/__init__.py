"""Many clips: the job file, its run and its report."""
