"""The `cvseg` command. One file per subcommand; each is imported when it is called, so that `--help` stays quick."""
