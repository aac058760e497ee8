: nothing is written
