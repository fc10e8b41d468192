"""What runs next to the user's code: the standard library only, on any Python from 3.10 on.

A job is one attempt directory (:mod:`~nemo_flows.runtime.attempt` documents its files). In it

* :mod:`~nemo_flows.runtime.supervise` starts the user's process, captures what it says, ends
  its whole process tree when asked, and writes the exit record;
* :mod:`~nemo_flows.runtime.call` is that process for a Python task: it builds the
  configuration from its stored form (:mod:`~nemo_flows.runtime.tree`) and calls the function;
* :mod:`~nemo_flows.runtime.context` is what the user's code may ask about its own job.

``python nemo_flows/runtime supervise|call ATTEMPT_DIR`` starts either of the first two, from
this folder or from an archive of it, with nothing installed.
"""
