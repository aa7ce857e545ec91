"""The member `wan2.1-1.3b`: the public Wan 2.1 T2V transformer over VAE latents, run on kept tokens (DESIGN.md §6)."""
