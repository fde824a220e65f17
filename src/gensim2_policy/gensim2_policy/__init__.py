"""PPT: a multi-task, language-conditioned point-cloud policy; training, evaluation, inference."""
