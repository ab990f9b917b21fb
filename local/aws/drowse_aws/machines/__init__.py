"""Real instances (DROWSE_NODES=real): each is a container with systemd as PID 1, in one room with its own network."""
